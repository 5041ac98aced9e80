import type { Readable } from 'node:stream';
import { GenericContainer, type StartedTestContainer, Wait } from 'testcontainers';

/** What the suite itself needs to know of a stack's secrets. */
interface ShownSecrets {
  readonly apiKey: string;
  readonly checkoutAmqpUrl: string;
}

/** What `deploy/make-secrets.mjs` makes for each container lies at `/for/<name>/secrets/latchkey`, ready to be copied. */
const MAKE = [
  'node deploy/make-secrets.mjs',
  'for made in /secrets/*; do name=${made#/secrets/}; mkdir -p "/for/$name/secrets"; cp -a "$made" "/for/$name/secrets/latchkey"; done',
  'touch /made',
  'exec sleep infinity',
].join(' && ');

/**
 * Every password and key of a stack, made as `docker compose up` makes them: by the program that is in the service image,
 * which so fits the services of that image. A container of its own, without network, holds them until they are handed out.
 */
export class StackSecrets {
  private constructor(private readonly container: StartedTestContainer) {}

  static async make(image: string, merchantId: string): Promise<StackSecrets> {
    const container = await new GenericContainer(image)
      .withCommand(['sh', '-c', MAKE])
      // It gives each file to the user of the container that reads it.
      .withUser('root')
      .withNetworkMode('none')
      .withEnvironment({ LATCHKEY_BOOTSTRAP_MERCHANT_ID: merchantId })
      .withWaitStrategy(Wait.forSuccessfulCommand('test -e /made'))
      .start();
    return new StackSecrets(container);
  }

  /** Copies a file or a folder out, for a container that is about to be made: `target` is the folder it will lie in. */
  async hand(path: string, target: string): Promise<{ readonly tar: Readable; readonly target: string }> {
    return { tar: (await this.container.copyArchiveFromContainer(path)) as Readable, target };
  }

  /** The API key, and the broker user of the merchant's checkout at an address outside. */
  async show(brokerHost: string, brokerPort: number): Promise<{ readonly apiKey: string; readonly amqpUrl: string }> {
    const { exitCode, stdout } = await this.container.exec(['node', 'deploy/make-secrets.mjs', 'show']);
    if (exitCode !== 0) throw new Error('The secrets of the stack could not be read.');
    const { apiKey, checkoutAmqpUrl } = JSON.parse(stdout) as ShownSecrets;
    const { username, password } = new URL(checkoutAmqpUrl);
    return { apiKey, amqpUrl: `amqp://${username}:${password}@${brokerHost}:${brokerPort}` };
  }

  async stop(): Promise<void> {
    await this.container.stop();
  }
}

import { getContainerRuntimeClient, type WaitStrategy } from 'testcontainers';

type Waiting = Parameters<WaitStrategy['waitUntilReady']>;

/** Where the container's entry looks for its address: on a tmpfs, so that a restart, which moves the port, begins without. */
export const ADDRESS_FILE = '/run/latchkey/address';

/**
 * Tells the container under which address it is reached from here, and only then waits for it. The licence URL holds the
 * port outside, a proof is compared with it byte for byte, and Docker chooses the port when the container starts, and
 * another one when it restarts: each time Testcontainers waits.
 */
export class TellAddressFirst implements WaitStrategy {
  constructor(
    private readonly port: number,
    private readonly then: WaitStrategy,
  ) {}

  async waitUntilReady(...[container, boundPorts, startTime]: Waiting): Promise<void> {
    const client = await getContainerRuntimeClient();
    const origin = `http://${client.info.containerRuntime.host}:${boundPorts.getBinding(this.port)}`;
    const address = `LATCHKEY_PUBLIC_URL=${origin}\nLATCHKEY_LICENSE_URL=${origin}/v1/licenses\n`;
    // Moved into place, so that the entry never reads half of it.
    const write = `printf %s "$0" > ${ADDRESS_FILE}.new && mv ${ADDRESS_FILE}.new ${ADDRESS_FILE}`;
    const { exitCode, output } = await client.container.exec(container, ['sh', '-c', write, address]);
    if (exitCode !== 0) throw new Error(`The container could not be told its address: ${output.trim()}`);
    await this.then.waitUntilReady(container, boundPorts, startTime);
  }

  withStartupTimeout(startupTimeoutMs: number): this {
    this.then.withStartupTimeout(startupTimeoutMs);
    return this;
  }

  isStartupTimeoutSet(): boolean {
    return this.then.isStartupTimeoutSet();
  }

  getStartupTimeout(): number {
    return this.then.getStartupTimeout();
  }
}

import { generateApiKey } from '@latchkey/crypto';
import { GenericContainer, Wait, type WaitStrategy } from 'testcontainers';
import type { AmqpBroker } from './amqp-broker.js';
import { StartedLatchkeyContainer } from './started-latchkey-container.js';
import { ADDRESS_FILE, TellAddressFirst } from './tell-address-first.js';
import { readOffsetSeconds, STILL_CLOCK } from './moved-clock.js';

/** The port inside, of gateway and licence server alike. */
const PORT = 8080;
const STARTUP_TIMEOUT_MS = 180_000;

/**
 * All of Latchkey in one container, from the standalone image, with PostgreSQL inside: nothing else is needed. It is ready
 * when `start()` resolves, and everything in it is gone with `stop()`.
 */
export class LatchkeyContainer extends GenericContainer {
  private amqpUrl: string | undefined;
  private timeTravels = false;

  constructor(image = 'latchkey/standalone') {
    super(image);
    this.withExposedPorts(PORT)
      .withTmpFs({ [ADDRESS_FILE.slice(0, ADDRESS_FILE.lastIndexOf('/'))]: 'rw,mode=1777' })
      .withEnvironment({ ADDRESS_FILE })
      .withWaitStrategy(Wait.forHttp('/health/ready', PORT, { abortOnContainerExit: true }))
      .withStartupTimeout(STARTUP_TIMEOUT_MS);
  }

  /** The merchant that exists from the start; `default` unless told. */
  withMerchant(merchantId: string): this {
    return this.withEnvironment({ LATCHKEY_BOOTSTRAP_MERCHANT_ID: merchantId });
  }

  /** An API key of that merchant with every scope, in the form of keys; by default a new one for each container. */
  withApiKey(apiKey: string): this {
    return this.withEnvironment({ LATCHKEY_BOOTSTRAP_API_KEY: apiKey });
  }

  /** Events go over this RabbitMQ, so that a checkout can publish purchases to it; without it they stay inside the process. */
  withAmqp(broker: AmqpBroker): this {
    this.amqpUrl = broker.outsideUrl;
    return this.withEnvironment({ AMQP_URL: broker.insideUrl });
  }

  /** Lets the suite move the container's clock with `travel(…)`. */
  withTimeTravel(): this {
    if (this.timeTravels) return this;
    this.timeTravels = true;
    // The label tells a container that is reused from one whose clock cannot be moved.
    return this.withCopyContentToContainer([STILL_CLOCK]).withLabels({ 'latchkey.time-travel': 'true' });
  }

  /** Whatever is waited for, the container first has to be told its address. */
  override withWaitStrategy(waitStrategy: WaitStrategy): this {
    return super.withWaitStrategy(new TellAddressFirst(PORT, waitStrategy));
  }

  /** Starts it, and resolves when it is ready. */
  override async start(): Promise<StartedLatchkeyContainer> {
    const apiKey = this.environment['LATCHKEY_BOOTSTRAP_API_KEY'] ?? generateApiKey('test');
    this.withApiKey(apiKey);
    const started = await super.start();
    return new StartedLatchkeyContainer(started, {
      port: PORT,
      apiKey,
      merchantId: this.environment['LATCHKEY_BOOTSTRAP_MERCHANT_ID'] ?? 'default',
      amqpUrl: this.amqpUrl,
      // One that is reused may have travelled before.
      offsetSeconds: this.timeTravels ? await readOffsetSeconds(started) : undefined,
    });
  }
}

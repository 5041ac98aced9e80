import type { StartedNetwork, StartedTestContainer } from 'testcontainers';
import type { Latchkey } from './latchkey.js';
import { stopNetwork } from './stop-network.js';

/** The containers of a stack, by their names on its network. */
export type StackContainer = 'edge' | 'postgres' | 'rabbitmq' | 'gateway' | 'license-server' | 'cookie' | 'device-registry' | 'token-issuer';

/** Where a stack is, and who may use it. */
export interface StackAddresses extends Latchkey {
  readonly merchantId: string;
  /** The broker user of the merchant's checkout: it may publish that merchant's purchases, and nothing else. */
  readonly amqpUrl: string;
}

/** A stack that runs. */
export class StartedLatchkeyStack implements StackAddresses {
  readonly gatewayUrl: string;
  readonly licenseUrl: string;
  readonly apiKey: string;
  readonly merchantId: string;
  readonly amqpUrl: string;
  private stopped: Promise<void> | undefined;

  constructor(
    addresses: StackAddresses,
    private readonly network: StartedNetwork,
    private readonly containers: ReadonlyMap<StackContainer, StartedTestContainer>,
  ) {
    this.gatewayUrl = addresses.gatewayUrl;
    this.licenseUrl = addresses.licenseUrl;
    this.apiKey = addresses.apiKey;
    this.merchantId = addresses.merchantId;
    this.amqpUrl = addresses.amqpUrl;
  }

  /** One of its containers, to look into or to hurt. */
  container(name: StackContainer): StartedTestContainer {
    const container = this.containers.get(name);
    if (!container) throw new RangeError(`There is no container ${name} in a stack.`);
    return container;
  }

  /** The name of its Docker network, for containers that are to reach its services by their names. */
  get networkName(): string {
    return this.network.getName();
  }

  /** Stops and removes everything. Calling it again changes nothing. */
  stop(): Promise<void> {
    this.stopped ??= this.removeAll();
    return this.stopped;
  }

  private async removeAll(): Promise<void> {
    // Every container, even where one of them fails: none is left to the machine.
    const results = await Promise.allSettled([...this.containers.values()].map((container) => container.stop()));
    for (const result of results) if (result.status === 'rejected') throw result.reason;
    await stopNetwork(this.network);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

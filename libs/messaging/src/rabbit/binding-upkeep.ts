import type { BrokerLogger } from '../observer.js';
import type { Topology } from '../topology.js';
import { declareTopology, onChannel } from './declare-topology.js';
import type { Link } from './link.js';
import { messageOf } from './message-of.js';

/** What the upkeep is made with. */
export interface UpkeepOptions {
  readonly logger: BrokerLogger;
  readonly intervalMs: number;
  /** Everything that this process has declared. */
  readonly topologies: () => Iterable<Topology>;
}

/**
 * Binds again and again what should be bound. A binding that somebody removed makes whatever is published for it come
 * back, and stay in its publisher's outbox; without this it would stay there until the next connection, which may be
 * weeks away. A lost queue needs no such care: its consumers are told. Repeating a binding that is there changes nothing.
 */
export class BindingUpkeep {
  private readonly timer: NodeJS.Timeout;
  private current: Promise<void> = Promise.resolve();

  constructor(
    private readonly link: Link,
    private readonly options: UpkeepOptions,
  ) {
    let busy = false;
    this.timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.current = this.repeat().finally(() => (busy = false));
    }, options.intervalMs).unref();
  }

  /** Ends after the round in hand. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.current;
  }

  private async repeat(): Promise<void> {
    const { logger, topologies } = this.options;
    for (const topology of topologies()) {
      if (this.link.state === 'down') return;
      const connection = await this.link.up();
      if (!connection) return;
      try {
        await onChannel(connection, logger, async (channel) => {
          await Promise.all(topology.bindings.map(({ queue, exchange, routingKey }) => channel.bindQueue(queue, exchange, routingKey)));
        });
      } catch {
        // An exchange or a queue is gone too, or the connection: the first is mended here, the second by whoever holds it.
        await declareTopology(connection, topology, logger).catch((error: unknown) =>
          logger.warn('what this service needs of the broker cannot be declared', { error: messageOf(error) }),
        );
      }
    }
  }
}

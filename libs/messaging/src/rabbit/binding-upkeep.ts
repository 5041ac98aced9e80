import type { ChannelModel } from 'amqplib';
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
 * weeks away. Repeating a binding that is there changes nothing. Where binding fails because an exchange or a queue is gone,
 * everything is declared again.
 */
export class BindingUpkeep {
  private readonly timer: NodeJS.Timeout;
  private current: Promise<void> = Promise.resolve();
  private failing = false;

  constructor(
    private readonly link: Link,
    private readonly options: UpkeepOptions,
  ) {
    let busy = false;
    this.timer = setInterval(() => {
      if (busy) return;
      busy = true;
      this.current = this.repeatAll().finally(() => (busy = false));
    }, options.intervalMs).unref();
  }

  /** Ends after the round in hand. */
  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.current;
  }

  private async repeatAll(): Promise<void> {
    const connection = this.link.state === 'down' ? undefined : await this.link.up();
    if (!connection) return;
    const failures: unknown[] = [];
    for (const topology of this.options.topologies()) await this.repeat(connection, topology).catch((error: unknown) => failures.push(error));
    // Said once, and not every few seconds for as long as it lasts.
    if (failures.length > 0 && !this.failing) {
      this.options.logger.warn('what this service needs of the broker cannot be declared', { error: messageOf(failures[0]) });
    }
    this.failing = failures.length > 0;
  }

  private async repeat(connection: ChannelModel, topology: Topology): Promise<void> {
    const { logger } = this.options;
    try {
      await onChannel(connection, logger, async (channel) => {
        await Promise.all(topology.bindings.map(({ queue, exchange, routingKey }) => channel.bindQueue(queue, exchange, routingKey)));
      });
    } catch {
      await declareTopology(connection, topology, logger);
    }
  }
}

import type { Channel, ChannelModel } from 'amqplib';
import type { Running } from '../broker.js';
import { namesOf } from '../topology.js';
import { pause } from './backoff.js';
import { DeliverySession, type SessionOptions } from './delivery-session.js';
import { KeptChannel } from './kept-channel.js';
import type { Link } from './link.js';

/** What a consumption is made with. */
export interface ConsumptionOptions extends SessionOptions {
  readonly prefetch: number;
  /**
   * How long the handler may take to end a batch whose channel died, before its messages, which come again, are handled
   * beside it. Without the wait every lost connection would have them handled twice at once; without its end a handler
   * that hangs would stop the service for good.
   */
  readonly handlerGraceMs: number;
  declare(connection: ChannelModel): Promise<void>;
}

/** Consumes `<service>.in` until it is stopped, through lost connections, closed channels and cancelled consumers. */
export class Consumption implements Running {
  private readonly kept: KeptChannel<Channel>;
  private readonly stopping = new AbortController();
  private readonly sessions = new Map<Channel, { readonly session: DeliverySession; readonly consumerTag: string }>();
  private lastHandled: Promise<unknown> = Promise.resolve();
  private stopped: Promise<void> | undefined;

  constructor(
    link: Link,
    private readonly options: ConsumptionOptions,
  ) {
    const { service } = options.reader;
    this.kept = new KeptChannel<Channel>(link, {
      name: namesOf(service).in,
      logger: options.logger,
      open: (connection) => connection.createChannel(),
      begin: (channel, connection) => this.begin(channel, connection),
      ended: (channel) => this.end(channel),
    });
  }

  /** As `KeptChannel.begun`. */
  begun(): Promise<void> {
    return this.kept.begun();
  }

  /** Whether it can take messages at the moment. */
  get ready(): boolean {
    return this.kept.current !== undefined;
  }

  /** How many messages are in the consumer's hands. The broker does not count them among those that wait. */
  get inHand(): number {
    return [...this.sessions.values()].reduce((sum, { session }) => sum + session.inHand, 0);
  }

  stop(): Promise<void> {
    this.stopped ??= this.drain();
    return this.stopped;
  }

  private async begin(channel: Channel, connection: ChannelModel): Promise<void> {
    const { options } = this;
    await options.declare(connection);
    await channel.prefetch(options.prefetch);
    const previous = Promise.race([this.lastHandled, pause(options.handlerGraceMs, this.stopping.signal)]);
    const session = new DeliverySession(channel, options, previous.then(() => undefined));
    const { consumerTag } = await channel.consume(namesOf(options.reader.service).in, (message) => {
      if (message) session.take(message);
      // `basic.cancel`: the queue was deleted, or its leader moved. A new channel declares it again and consumes anew.
      else this.kept.renew(channel);
    });
    this.sessions.set(channel, { session, consumerTag });
  }

  private end(channel: Channel): void {
    const begun = this.sessions.get(channel);
    if (!begun) return;
    this.sessions.delete(channel);
    this.lastHandled = Promise.all([this.lastHandled, begun.session.die()]);
  }

  /**
   * Cancels first, and waits for the broker's word: what it has given us until then is ours to handle. Closing the channel
   * gives back what is not settled.
   */
  private async drain(): Promise<void> {
    const { logger, reader } = this.options;
    this.stopping.abort();
    for (const [channel, { session, consumerTag }] of this.sessions) {
      await channel.cancel(consumerTag).catch((error: Error) => logger.info('the consumer was gone already', { service: reader.service, error: error.message }));
      await session.drain();
    }
    await this.kept.close();
    await this.lastHandled;
  }
}

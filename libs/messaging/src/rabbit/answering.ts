import { Problem, type ServiceName } from '@latchkey/contracts';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import type { RequestHandler, Running } from '../broker.js';
import { AckWindow } from './ack-window.js';
import { REQUEST_HEADERS } from './asker.js';
import { ClockWatch } from './clock-watch.js';
import { KeptChannel } from './kept-channel.js';
import type { Link } from './link.js';
import type { BrokerLogger } from '../observer.js';
import { refusalOf } from '../requests.js';

/** What answering is made with. */
export interface AnsweringOptions {
  readonly service: ServiceName;
  readonly queue: string;
  readonly handler: RequestHandler;
  /** How many requests are handled at once; the others wait where another replica can take them. */
  readonly prefetch: number;
  readonly logger: BrokerLogger;
  /** Gets the seconds by which our clock is ahead of a caller's, if they differ too much. */
  readonly onClockDifference?: (aheadSeconds: number) => void;
  declare(connection: ChannelModel): Promise<void>;
}

const TOO_LATE = 'the request seems to have expired: the clocks of two services may differ';

/** The requests of one channel. */
interface Session {
  readonly channel: Channel;
  readonly consumerTag: string;
}

/**
 * Answers requests to a service until it is stopped. A request is acknowledged after its answer, so that one whose server
 * dies goes to another; by then its deadline decides whether anybody still wants it.
 */
export class Answering implements Running {
  private readonly kept: KeptChannel<Channel>;
  private readonly underWay = new Set<Promise<void>>();
  private session: Session | undefined;
  private stopped: Promise<void> | undefined;
  private readonly clocks: ClockWatch;

  constructor(
    link: Link,
    private readonly options: AnsweringOptions,
  ) {
    this.clocks = new ClockWatch((aheadSeconds) => {
      options.logger.error('the clock of this service differs from that of a caller, or it stood still: requests seem to have expired', { service: options.service, aheadSeconds });
      options.onClockDifference?.(aheadSeconds);
    });
    this.kept = new KeptChannel<Channel>(link, {
      name: options.queue,
      logger: options.logger,
      open: (connection) => connection.createChannel(),
      begin: (channel, connection) => this.begin(channel, connection),
      ended: () => (this.session = undefined),
    });
  }

  /** Whether it can take requests at the moment. */
  get ready(): boolean {
    return this.kept.current !== undefined;
  }

  /** As `KeptChannel.begun`. */
  begun(): Promise<void> {
    return this.kept.begun();
  }

  stop(): Promise<void> {
    this.stopped ??= this.drain();
    return this.stopped;
  }

  private async begin(channel: Channel, connection: ChannelModel): Promise<void> {
    const { options } = this;
    await options.declare(connection);
    await channel.prefetch(options.prefetch);
    const gathered = new GatheredAcks(channel, () => this.session?.channel === channel);
    const { consumerTag } = await channel.consume(options.queue, (message) => {
      if (!message) return this.kept.renew(channel);
      gathered.delivered(message.fields.deliveryTag);
      const answering = this.answer(channel, message)
        .then(() => gathered.settle(message.fields.deliveryTag))
        .finally(() => this.underWay.delete(answering));
      this.underWay.add(answering);
    });
    this.session = { channel, consumerTag };
  }

  /** Never rejects. Where there is no answer the asker's deadline tells it so. */
  private async answer(channel: Channel, { content, properties }: ConsumeMessage): Promise<void> {
    const { handler, service, logger } = this.options;
    const headers: Record<string, unknown> = properties.headers ?? {};
    const [deadlineMs, correlationId] = [Number(headers[REQUEST_HEADERS.deadline]), headers[REQUEST_HEADERS.correlation]];
    const { type: name, replyTo } = properties as { type: unknown; replyTo: unknown };
    // The services' clocks decide here, so they have to agree to a second or so, as for tokens.
    this.clocks.note({ sentMs: deadlineMs - Number(properties.expiration), deadlineMs }, Date.now());
    const answerWith = (body: Buffer): boolean =>
      channel.publish('', String(replyTo), body, { correlationId: properties.correlationId as string | undefined });
    if (typeof name !== 'string' || typeof replyTo !== 'string' || !(Date.now() < deadlineMs)) {
      logger.info('a request came too late, or without saying what it asks or by when, and nothing was done', { service });
      // Its caller may wait still, if only the clocks differ: it must not take this for a service that does not answer.
      if (typeof replyTo === 'string' && deadlineMs <= Date.now()) answerWith(refusalOf(new Problem('unavailable', { detail: TOO_LATE, retryAfterSeconds: 1 })));
      return;
    }
    try {
      const answer = await handler({
        name,
        body: content,
        correlationId: typeof correlationId === 'string' ? correlationId : undefined,
        deadlineMs,
      });
      answerWith(answer);
    } catch (error) {
      logger.error('a request was not answered', { service, request: name, error: error instanceof Error ? error.name : 'unknown' });
    }
  }

  /** Cancels first, so that no more come; then what is under way is answered and acknowledged before the channel closes. */
  private async drain(): Promise<void> {
    const { logger, service } = this.options;
    if (this.session) {
      const { channel, consumerTag } = this.session;
      await channel.cancel(consumerTag).catch((error: Error) => logger.info('the consumer was gone already', { service, error: error.message }));
    }
    await Promise.all(this.underWay);
    // Acknowledgements are gathered for the rest of this turn.
    await new Promise((resolve) => setImmediate(resolve));
    await this.kept.close();
  }
}

/** Acknowledges once a turn of the event loop, all that was answered in it: a frame each would cost throughput. */
class GatheredAcks {
  private readonly window = new AckWindow();
  private answered: number[] = [];
  private closed = false;

  constructor(
    private readonly channel: Channel,
    private readonly isCurrent: () => boolean,
  ) {
    channel.once('close', () => (this.closed = true));
  }

  delivered(deliveryTag: number): void {
    this.window.delivered(deliveryTag);
  }

  settle(deliveryTag: number): void {
    this.answered.push(deliveryTag);
    if (this.answered.length === 1) setImmediate(() => this.send());
  }

  private send(): void {
    const acknowledgements = this.window.settle(this.answered);
    this.answered = [];
    // The broker has taken back what came by a channel that is gone, and answers to it are sent again.
    if (this.closed || !this.isCurrent()) return;
    for (const { deliveryTag, multiple } of acknowledgements) this.channel.ack({ fields: { deliveryTag } } as ConsumeMessage, multiple);
  }
}

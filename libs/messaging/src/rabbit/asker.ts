import { MESSAGE_BYTES_MAX, type ServiceName } from '@latchkey/contracts';
import type { Channel, ChannelModel, Message, Options } from 'amqplib';
import { type OutgoingRequest, RequestTimeout, RequestUnroutable } from '../broker.js';
import { askerTopology, FORMER_REQUESTS_EXCHANGE, REQUESTS_EXCHANGE } from '../topology.js';
import { pause } from './backoff.js';
import { declareTopology } from './declare-topology.js';
import { KeptChannel } from './kept-channel.js';
import type { Link } from './link.js';
import type { BrokerLogger } from '../observer.js';
import { messageOf } from './message-of.js';

/** Headers of a request beside AMQP's own properties. */
export const REQUEST_HEADERS = { deadline: 'latchkey-deadline-ms', correlation: 'latchkey-correlation-id' } as const;

/** RabbitMQ's pseudo queue: an answer to it comes straight back on the channel that asked. */
const REPLY_TO = 'amq.rabbitmq.reply-to';

/** One question under way. */
interface Pending {
  readonly service: ServiceName;
  readonly body: Buffer;
  readonly options: Options.Publish;
  readonly timer: NodeJS.Timeout;
  readonly resolve: (answer: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** Asks services over direct reply-to, and gives each answer to who asked for it. */
export class Asker {
  private readonly kept: KeptChannel<Channel>;
  private readonly pending = new Map<string, Pending>();
  private lastId = 0;

  constructor(
    private readonly link: Link,
    private readonly logger: BrokerLogger,
  ) {
    this.kept = new KeptChannel<Channel>(link, {
      name: 'requests',
      logger,
      open: (connection) => connection.createChannel(),
      begin: (channel, connection) => this.begin(channel, connection),
      ended: () => this.rejectAll(),
    });
  }

  /**
   * Asks, and resolves to the answer. Rejects with `RequestUnroutable` where nobody serves, or the broker is away or
   * blocked: nothing was sent then. Rejects with `RequestTimeout` at the deadline, and when the channel dies meanwhile:
   * nobody knows then whether it was done. Rejects with a RangeError for a body over 256 KiB.
   */
  async request(service: ServiceName, { name, body, correlationId, timeoutMs }: OutgoingRequest): Promise<Buffer> {
    if (body.length > MESSAGE_BYTES_MAX) throw new RangeError(`a request of ${body.length} bytes is over the limit`);
    const channel = this.kept.current ?? (await this.firstChannel(timeoutMs));
    if (!channel || this.link.state !== 'up') throw new RequestUnroutable(`the broker is ${this.link.state}: ${service} cannot be asked`);
    const id = String((this.lastId += 1));
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => this.settle(id)?.reject(new RequestTimeout(`${service} did not answer ${name} in ${timeoutMs} ms`)), timeoutMs);
      const options: Options.Publish = {
        mandatory: true,
        replyTo: REPLY_TO,
        correlationId: id,
        type: name,
        // The broker drops it at the deadline if nobody has taken it by then; who takes it looks at the header.
        expiration: Math.max(1, Math.round(timeoutMs)),
        headers: { [REQUEST_HEADERS.deadline]: String(Date.now() + timeoutMs), [REQUEST_HEADERS.correlation]: correlationId },
      };
      this.pending.set(id, { service, body, options, timer, resolve, reject });
      try {
        channel.publish(REQUESTS_EXCHANGE, name, body, options);
      } catch (error) {
        this.settle(id);
        reject(error instanceof Error ? error : new Error('the request cannot be sent'));
      }
    });
  }

  /** Whether it can send requests at the moment. */
  get ready(): boolean {
    return this.kept.current !== undefined;
  }

  async close(): Promise<void> {
    await this.kept.close();
  }

  /** A request that comes before the first channel is open waits for it; later ones do not wait for a broker that is away. */
  private async firstChannel(timeoutMs: number): Promise<Channel | undefined> {
    const inTime = new AbortController();
    const refused = (error: unknown) => this.logger.error('the broker does not let this service ask others', { error: messageOf(error) });
    await Promise.race([this.kept.begun().catch(refused), pause(timeoutMs, inTime.signal)]);
    inTime.abort();
    return this.kept.current;
  }

  private async begin(channel: Channel, connection: ChannelModel): Promise<void> {
    await declareTopology(connection, askerTopology, this.logger);
    channel.on('return', (message: Message) => this.returned(channel, message));
    // An answer that comes too late finds nobody.
    const onAnswer = (message: Message | null) => message && this.settle(message.properties.correlationId)?.resolve(message.content);
    await channel.consume(REPLY_TO, onAnswer, { noAck: true });
  }

  /** No replica of this release takes it; one of the release before may. */
  private returned(channel: Channel, { fields, properties }: Message): void {
    const id = String(properties.correlationId);
    const pending = this.pending.get(id);
    if (pending && fields.exchange === REQUESTS_EXCHANGE) {
      channel.publish(FORMER_REQUESTS_EXCHANGE, pending.service, pending.body, pending.options);
      return;
    }
    this.settle(id)?.reject(new RequestUnroutable(`no replica of ${pending?.service} takes requests`));
  }

  private settle(id: unknown): Pending | undefined {
    if (typeof id !== 'string') return undefined;
    const pending = this.pending.get(id);
    if (!pending) return undefined;
    this.pending.delete(id);
    clearTimeout(pending.timer);
    return pending;
  }

  private rejectAll(): void {
    for (const [id, { service }] of this.pending) {
      this.settle(id)?.reject(new RequestTimeout(`the connection was lost before ${service} answered`));
    }
  }
}

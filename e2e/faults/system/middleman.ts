import { type ChannelModel, type ConfirmChannel, connect, type ConsumeMessage, type Options } from 'amqplib';
import type { System } from './system.js';

/** A message as somebody published it. */
export interface Published {
  readonly routingKey: string;
  readonly content: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly messageId: string | undefined;
  readonly contentType: string | undefined;
  readonly userId: string | undefined;
}

const EXCHANGE = 'latchkey.events';
/** Where RabbitMQ puts a copy of everything that is published, when it is told to. It changes nothing of what is routed where. */
const TRACE_EXCHANGE = 'amq.rabbitmq.trace';
/** Marks what a middleman has published, so that it does not take it for somebody else's. */
const MARK = 'x-faults-copy';

/** Stands between the publishers of events and the broker: sees what they publish, and can publish in their name. */
export class Middleman {
  /** What was published since it began, and was routed. */
  readonly seen: Published[] = [];
  private readonly listeners: ((message: Published) => void)[] = [];
  private readonly returned = new Set<unknown>();
  private looking = true;
  private readonly underWay = new Set<Promise<boolean>>();

  private constructor(
    private readonly system: System,
    private readonly connection: ChannelModel,
    private readonly channel: ConfirmChannel,
  ) {}

  /** Begins to look at events whose routing key passes `wanted`. */
  static async begin(system: System, wanted: (routingKey: string) => boolean): Promise<Middleman> {
    await system.management.request('PUT', `/api/vhosts/${system.vhostName}`, { tracing: true });
    const connection = await connect(system.middlemanAmqpUrl);
    connection.on('error', () => undefined);
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    const middleman = new Middleman(system, connection, channel);
    channel.on('return', ({ properties }) => middleman.returned.add(properties.messageId));
    const { queue } = await channel.assertQueue('', { exclusive: true });
    await channel.bindQueue(queue, TRACE_EXCHANGE, `publish.${EXCHANGE}`);
    await channel.consume(queue, (message) => message && middleman.look(message, wanted), { noAck: true });
    return middleman;
  }

  onSeen(listener: (message: Published) => void): void {
    this.listeners.push(listener);
  }

  /** Sees no more. */
  lookAway(): void {
    this.looking = false;
  }

  /** Publishes to the events exchange; whether it was routed. Rejects when the broker refuses it or is lost. */
  publish(message: Published): Promise<boolean> {
    const { routingKey, content, headers, messageId, contentType, userId } = message;
    const options: Options.Publish = { headers: { ...headers, [MARK]: '1' }, persistent: true, mandatory: true, messageId, contentType, userId };
    const publishing = new Promise<boolean>((resolve, reject) => {
      const confirmed = (error: Error | null) => {
        if (error) reject(error);
        // The broker returns a message before it confirms it; of several with one id it returns all.
        else resolve(!this.returned.has(messageId));
      };
      this.channel.publish(EXCHANGE, routingKey, content, options, confirmed);
    });
    this.underWay.add(publishing);
    void publishing.catch(() => undefined).finally(() => this.underWay.delete(publishing));
    return publishing;
  }

  /** Ends, once everything that it published is confirmed. */
  async end(): Promise<void> {
    await Promise.allSettled(this.underWay);
    await this.connection.close().catch(() => undefined);
    await this.system.management.request('PUT', `/api/vhosts/${this.system.vhostName}`, { tracing: false });
  }

  private look({ content, properties }: ConsumeMessage, wanted: (routingKey: string) => boolean): void {
    if (!this.looking) return;
    const trace = (properties.headers ?? {}) as { routing_keys?: string[]; routed_queues?: string[]; properties?: Record<string, unknown> };
    const routingKey = trace.routing_keys?.[0] ?? '';
    const original = trace.properties ?? {};
    const headers = (original['headers'] ?? {}) as Record<string, unknown>;
    // What went nowhere was not accepted, and a copy of it would be.
    if (!wanted(routingKey) || headers[MARK] !== undefined || !trace.routed_queues?.length) return;
    const text = (name: string): string | undefined => (typeof original[name] === 'string' ? original[name] : undefined);
    const message = { routingKey, content, headers, messageId: text('message_id'), contentType: text('content_type'), userId: text('user_id') };
    this.seen.push(message);
    for (const listener of this.listeners) listener(message);
  }
}

/** The same message under another event id. */
export function underNewId(message: Published): Published {
  const id = crypto.randomUUID();
  const headers = Object.fromEntries(Object.entries(message.headers).map(([name, value]) => [name, /^cloudEvents[_:]id$/.test(name) ? id : value]));
  if (message.contentType !== 'application/cloudevents+json') return { ...message, headers, messageId: id };
  const event = { ...(JSON.parse(message.content.toString()) as Record<string, unknown>), id };
  return { ...message, content: Buffer.from(JSON.stringify(event)), messageId: id };
}

/** The same message with other data, under another event id. */
export function withData(message: Published, change: (data: Record<string, unknown>) => Record<string, unknown>): Published {
  const renamed = underNewId(message);
  const body = JSON.parse(renamed.content.toString()) as Record<string, unknown>;
  const structured = renamed.contentType === 'application/cloudevents+json';
  const changed = structured ? { ...body, data: change(body['data'] as Record<string, unknown>) } : change(body);
  return { ...renamed, content: Buffer.from(JSON.stringify(changed)) };
}

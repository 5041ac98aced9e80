import { connect } from 'amqplib';
import type { ChannelModel, ConfirmChannel, Options } from 'amqplib';

/** A message as a checkout would publish it; what is left out is filled in rightly. */
export interface CheckoutMessage {
  /** Event type, and routing key unless `routingKey` says otherwise. */
  type: string;
  data: unknown;
  id?: string;
  source?: string;
  time?: string;
  mode?: 'binary' | 'structured';
  /** How binary mode spells its headers; the CloudEvents binding knows both. */
  headerPrefix?: 'cloudEvents_' | 'cloudEvents:';
  routingKey?: string;
  exchange?: string;
  /** Sent as it is, in place of the JSON made from `data`. */
  rawBody?: Buffer | string;
  /** The broker user that the message claims to come from: the real one unless told; null sends none. */
  userId?: string | null;
  headers?: Record<string, unknown>;
}

export type PublishOutcome = 'accepted' | 'unroutable';

/** A merchant's checkout with its ordinary AMQP client: amqplib, publisher confirms, `mandatory`. Knows nothing of Nest. */
export class Checkout {
  readonly #connection: ChannelModel;
  readonly #channel: ConfirmChannel;
  readonly #username: string;
  readonly #returned = new Set<string>();

  private constructor(connection: ChannelModel, channel: ConfirmChannel, username: string) {
    this.#connection = connection;
    this.#channel = channel;
    this.#username = username;
    // The broker returns a message before it confirms it, so that the confirm can look here.
    channel.on('return', (message) => this.#returned.add(String(message.properties.messageId)));
  }

  /** Connects as the user that `amqpUrl` names. */
  static async connect(amqpUrl: string): Promise<Checkout> {
    const connection = await connect(amqpUrl);
    // A refused publish (a wrong `user_id`, no permission) closes the channel; publish() rejects, which is enough.
    connection.on('error', () => undefined);
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    return new Checkout(connection, channel, decodeURIComponent(new URL(amqpUrl).username));
  }

  /** Resolves when the broker has confirmed the message; rejects when it refused it or closed the channel. */
  publish(message: CheckoutMessage): Promise<PublishOutcome> {
    const attributes = {
      specversion: '1.0',
      id: message.id ?? crypto.randomUUID(),
      source: message.source ?? 'urn:test:checkout',
      type: message.type,
      time: message.time ?? new Date().toISOString(),
    };
    const structured = message.mode === 'structured';
    const json = JSON.stringify(structured ? { ...attributes, data: message.data } : message.data);
    const messageId = crypto.randomUUID();
    const userId = message.userId === undefined ? this.#username : message.userId;
    const options: Options.Publish = {
      messageId: structured ? messageId : attributes.id,
      mandatory: true,
      persistent: true,
      contentType: structured ? 'application/cloudevents+json' : 'application/json',
      headers: { ...(!structured && prefixed(attributes, message.headerPrefix)), ...message.headers },
      ...(userId !== null && { userId }),
    };
    const exchange = message.exchange ?? 'latchkey.events';
    const body = Buffer.from(message.rawBody ?? json);
    return new Promise((resolve, reject) => {
      this.#channel.publish(exchange, message.routingKey ?? message.type, body, options, (error: Error | null) => {
        if (error) reject(error);
        else resolve(this.#returned.delete(String(options.messageId)) ? 'unroutable' : 'accepted');
      });
    });
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

function prefixed(attributes: Record<string, string>, prefix = 'cloudEvents_'): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [prefix + name, value]));
}

import type { ConfirmChannel } from 'amqplib';
import type { PublishOutcome } from '../broker.js';
import type { OutgoingMessage } from './envelope.js';
import { KeptChannel } from './kept-channel.js';
import type { Link } from './link.js';
import type { BrokerLogger } from '../observer.js';
import { messageOf } from './message-of.js';

/** As `PublishOutcome`; `unsendable` is a message that no channel will ever take (its headers are too large). */
export type SendOutcome = PublishOutcome | 'unsendable';

/** What a publisher is made with. */
export interface PublisherOptions {
  readonly name: string;
  readonly logger: BrokerLogger;
  /** How long the broker may take to confirm. After that the outcome is `failed`: nobody knows. */
  readonly confirmTimeoutMs: number;
}

/** A message between its publication and the broker's word on it. */
interface Sent {
  readonly address: string;
  returned: boolean;
  readonly settle: (outcome: SendOutcome) => void;
}

/** A broker that is out of memory or disk may still confirm what it had read; what it has not by then, it has not read. */
const BLOCKED_GRACE_MS = 1_000;

/** Publishes persistent messages with `mandatory`, and answers what the broker said of each. */
export class ConfirmedPublisher {
  private readonly kept: KeptChannel<ConfirmChannel>;
  private readonly inFlight = new Set<Sent>();

  constructor(
    private readonly link: Link,
    private readonly options: PublisherOptions,
  ) {
    this.kept = new KeptChannel<ConfirmChannel>(link, {
      name: options.name,
      logger: options.logger,
      open: (connection) => connection.createConfirmChannel(),
      begin: async (channel) => this.listen(channel),
      ended: () => this.failAll(),
    });
    link.onBlocked(() => setTimeout(() => link.state === 'blocked' && this.failAll(), BLOCKED_GRACE_MS).unref());
  }

  /**
   * Publishes messages and answers one outcome each, in their order. Never rejects. While the broker is away or blocked
   * it sends nothing and answers `failed` at once, so that the caller keeps what it has.
   */
  async send(messages: readonly OutgoingMessage[]): Promise<readonly SendOutcome[]> {
    const channel = this.kept.current;
    if (!channel) return messages.map(() => 'failed');
    const batch: Sent[] = [];
    const outcomes: Promise<SendOutcome>[] = [];
    const timer = setTimeout(() => this.giveUp(channel, batch), this.options.confirmTimeoutMs);
    for (const message of messages) {
      const { promise, resolve } = Promise.withResolvers<SendOutcome>();
      outcomes.push(promise);
      const sent: Sent = { address: addressOf(message.exchange, message.routingKey, message.properties.messageId), returned: false, settle: resolve };
      batch.push(sent);
      const writable = this.sendOne(channel, message, sent);
      // The socket is slower than we are: without this wait everything unsent would pile up in memory.
      if (!writable) await Promise.race([drained(channel), promise]);
    }
    const settled = await Promise.all(outcomes);
    clearTimeout(timer);
    return settled;
  }

  /** Resolves when the channel has been opened, or could not be because the broker is away. */
  begun(): Promise<void> {
    return this.kept.begun();
  }

  async close(): Promise<void> {
    await this.kept.close();
  }

  private sendOne(channel: ConfirmChannel, { exchange, routingKey, body, properties }: OutgoingMessage, sent: Sent): boolean {
    // Looked at for each message: the broker may block, or the channel die, in the middle of a batch.
    if (this.kept.current !== channel || this.link.state !== 'up') {
      sent.settle('failed');
      return true;
    }
    try {
      this.inFlight.add(sent);
      return channel.publish(exchange, routingKey, body, { ...properties, persistent: true, mandatory: true }, (error) => {
        if (!this.inFlight.delete(sent)) return;
        sent.settle(error ? 'failed' : sent.returned ? 'unroutable' : 'confirmed');
      });
    } catch (error) {
      // Thrown before anything is written: a header table or a property that does not fit into the protocol.
      this.inFlight.delete(sent);
      this.options.logger.error('a message cannot be sent', { publisher: this.options.name, error: messageOf(error) });
      sent.settle('unsendable');
      return true;
    }
  }

  /**
   * The broker returns what it cannot route before it confirms it. A return names no delivery, so it is matched by its
   * address; of several in flight with the same address any will do, for all of them are returned.
   */
  private listen(channel: ConfirmChannel): void {
    channel.on('return', ({ fields, properties }) => {
      const address = addressOf(fields.exchange, fields.routingKey, properties.messageId);
      for (const sent of this.inFlight) {
        if (sent.returned || sent.address !== address) continue;
        sent.returned = true;
        return;
      }
    });
  }

  /** A channel whose confirms do not come is replaced: late ones would pile up in it, and be taken for later messages. */
  private giveUp(channel: ConfirmChannel, batch: readonly Sent[]): void {
    this.options.logger.warn('the broker did not confirm in time', { publisher: this.options.name, messages: batch.length });
    for (const sent of batch) this.fail(sent);
    this.kept.renew(channel);
  }

  private failAll(): void {
    for (const sent of this.inFlight) this.fail(sent);
  }

  private fail(sent: Sent): void {
    this.inFlight.delete(sent);
    sent.settle('failed');
  }
}

function addressOf(exchange: string, routingKey: string, messageId: unknown): string {
  return JSON.stringify([exchange, routingKey, messageId]);
}

/** Resolves when the channel takes more, or is gone. */
async function drained(channel: ConfirmChannel): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  channel.on('drain', resolve);
  channel.on('close', resolve);
  await promise;
  channel.off('drain', resolve);
  channel.off('close', resolve);
}

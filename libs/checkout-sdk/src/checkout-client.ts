import { PurchaseCompleted, PurchaseRefunded } from '@latchkey/contracts';
import { BrokerLine } from './broker-line.js';
import { CheckoutError } from './checkout-error.js';
import type { CheckoutOptions } from './checkout-options.js';
import type { ConnectionState } from './connection-state.js';
import { Publication } from './publication.js';
import type { PublishAnswer } from './publish-answer.js';
import { Publisher } from './publisher.js';
import { completedEvent, type PurchaseEvent, refundedEvent } from './purchase-event.js';
import type { CompletedPurchase, RefundedPurchase } from './purchases.js';
import { readOptions, type ReadOptions } from './read-options.js';
import { SentIds } from './sent-ids.js';

/** How one event is published. */
export interface PublishOptions {
  /**
   * The event's id, where the checkout has one already. It must stand for this one event for ever: Latchkey takes whatever
   * comes under a known id for a repeat. Left out, it is made from the content, so that the same has the same id.
   */
  readonly id?: string;
}

/** A checkout's connection to Latchkey's broker. It is opened again whenever it is lost, until it is closed. */
export interface CheckoutClient {
  readonly state: ConnectionState;
  /** Says that a customer paid. Rejects with a `CheckoutError`, where a repeat would not help; else answers within `timeoutMs`. */
  publishPurchaseCompleted(purchase: CompletedPurchase, options?: PublishOptions): Promise<PublishAnswer>;
  /** Says that a purchase was given back; it may overtake its purchase. As `publishPurchaseCompleted`. */
  publishPurchaseRefunded(refund: RefundedPurchase, options?: PublishOptions): Promise<PublishAnswer>;
  /** Takes nothing more, waits for the verdicts that are outstanding, `timeoutMs` at most, and closes the connection. */
  close(): Promise<void>;
}

/**
 * Connects a checkout. Rejects with a `CheckoutError` where the options are wrong, the broker refuses the user, or there is
 * no connection within `timeoutMs`; whoever started before the broker calls again.
 */
export async function connectCheckout(options: CheckoutOptions): Promise<CheckoutClient> {
  const client = new Client(readOptions(options));
  await client.connect();
  return client;
}

class Client implements CheckoutClient {
  private line!: BrokerLine;
  private publishers!: Readonly<Record<string, Publisher>>;
  private readonly sentIds = new SentIds();
  private readonly pending = new Set<Promise<PublishAnswer>>();
  private closing: Promise<void> | undefined;

  constructor(private readonly options: ReadOptions) {}

  get state(): ConnectionState {
    return this.line.state;
  }

  async connect(): Promise<void> {
    const { url, tls, user, timeoutMs, pendingMax } = this.options;
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((up, refused) => {
        timer = setTimeout(() => refused(new CheckoutError('unreachable', this.line.trouble)), timeoutMs);
        const tell = (each: (publisher: Publisher) => void): void => Object.values(this.publishers).forEach(each);
        const listeners = {
          up: () => {
            up();
            tell((publisher) => publisher.sendWaiting());
          },
          refused: (error: CheckoutError) => {
            refused(error);
            tell((publisher) => publisher.refuseWaiting(error));
          },
        };
        void BrokerLine.open({ url, tls, ...listeners }).then((line) => {
          this.line = line;
          const publisher = (): Publisher => new Publisher(line, user, pendingMax);
          this.publishers = { [PurchaseCompleted.type]: publisher(), [PurchaseRefunded.type]: publisher() };
        }, refused);
      });
    } catch (error) {
      await this.line.close();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async publishPurchaseCompleted(purchase: CompletedPurchase, { id }: PublishOptions = {}): Promise<PublishAnswer> {
    return this.publish(() => completedEvent(this.options, purchase, id, new Date()), id !== undefined);
  }

  async publishPurchaseRefunded(refund: RefundedPurchase, { id }: PublishOptions = {}): Promise<PublishAnswer> {
    return this.publish(() => refundedEvent(this.options, refund, id, new Date()), id !== undefined);
  }

  close(): Promise<void> {
    return (this.closing ??= this.drain());
  }

  private async publish(make: () => Promise<PurchaseEvent>, idGiven: boolean): Promise<PublishAnswer> {
    if (this.closing) throw new CheckoutError('closed', 'the checkout client is closed');
    const { size } = this.pending;
    if (size >= this.options.pendingMax) return { outcome: 'not-sent', id: (await make()).id, detail: `${size} others wait for their answers` };
    const answering = this.send(make, idGiven);
    this.pending.add(answering);
    return answering.finally(() => this.pending.delete(answering));
  }

  private async send(make: () => Promise<PurchaseEvent>, idGiven: boolean): Promise<PublishAnswer> {
    const event = await make();
    if (idGiven) this.sentIds.note(event);
    const publication = new Publication(event, this.options.timeoutMs, () => this.line.trouble);
    this.publishers[event.type]!.publish(publication);
    // Whoever closes has no time to wait for a connection that may come back.
    if (this.closing && this.line.state !== 'up') publication.giveUp();
    return publication.answer;
  }

  private async drain(): Promise<void> {
    if (this.line.state !== 'up') for (const publisher of Object.values(this.publishers)) publisher.giveUpWaiting();
    while (this.pending.size > 0) await Promise.allSettled(this.pending);
    await this.line.close();
  }
}

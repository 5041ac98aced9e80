import { EVENTS_EXCHANGE } from '@latchkey/contracts';
import type { ChannelModel, ConfirmChannel } from 'amqplib';
import type { BrokerLine } from './broker-line.js';
import { CheckoutError } from './checkout-error.js';
import type { Publication } from './publication.js';

/**
 * Publishes the events of one routing key on a channel of its own. The broker refuses by closing the channel and does not
 * say which message it meant; on a channel for one exchange, routing key and user it means all of them.
 */
export class Publisher {
  private readonly waiting = new Set<Publication>();
  /** What the broker has not confirmed, whether or not its time is over: a late verdict must not be taken for another's. */
  private readonly unconfirmed = new Set<Publication>();
  private channel: ConfirmChannel | undefined;
  private opening = false;

  constructor(
    private readonly line: BrokerLine,
    private readonly user: string,
    private readonly unconfirmedMax: number,
  ) {}

  /** Sends it as soon as the broker takes it. The publication itself knows when its time is over. */
  publish(publication: Publication): void {
    this.waiting.add(publication);
    void publication.answer.catch(() => undefined).finally(() => this.waiting.delete(publication));
    this.sendWaiting();
  }

  /** Sends what waits, as far as the broker takes it. */
  sendWaiting(): void {
    if (this.line.state !== 'up' || this.waiting.size === 0) return;
    if (!this.channel) {
      void this.openChannel();
      return;
    }
    for (const publication of this.waiting) {
      if (this.unconfirmed.size >= this.unconfirmedMax || !this.send(this.channel, publication)) return;
    }
  }

  /** Answers for everything that waits, that it was not sent. */
  giveUpWaiting(): void {
    for (const publication of this.waiting) publication.giveUp();
  }

  /** Refuses everything that waits. */
  refuseWaiting(error: CheckoutError): void {
    for (const publication of this.waiting) publication.refuse(error);
  }

  private async openChannel(): Promise<void> {
    const { connection } = this.line;
    if (!connection || this.opening) return;
    this.opening = true;
    try {
      this.use(await connection.createConfirmChannel(), connection);
    } catch {
      // The connection ended meanwhile; the next one calls again.
    } finally {
      this.opening = false;
    }
    if (this.channel || this.line.connection !== connection) this.sendWaiting();
  }

  private use(channel: ConfirmChannel, connection: ChannelModel): void {
    if (this.line.connection !== connection) return;
    let refusal: Error | undefined;
    channel.on('error', (error) => (refusal = error));
    channel.on('return', ({ properties }) => this.noteReturn(properties.messageId));
    // Before amqplib's own listener, which calls back for each unconfirmed message as if the broker had spoken against it.
    channel.prependListener('close', () => {
      this.channel = undefined;
      for (const publication of this.unconfirmed) answerForLost(publication, refusal);
      this.unconfirmed.clear();
      this.sendWaiting();
    });
    this.channel = channel;
  }

  /** Whether it was written to the channel. Where it was not, it waits on. */
  private send(channel: ConfirmChannel, publication: Publication): boolean {
    const { event } = publication;
    const properties = {
      mandatory: true,
      persistent: true,
      contentType: 'application/json',
      messageId: event.id,
      userId: this.user,
      headers: event.headers,
    };
    try {
      channel.publish(EVENTS_EXCHANGE, event.type, event.body, properties, (error) => this.confirmed(publication, error !== null));
    } catch {
      // The channel is closing, and its end has not been told yet.
      return false;
    }
    publication.sent = true;
    this.waiting.delete(publication);
    this.unconfirmed.add(publication);
    return true;
  }

  private confirmed(publication: Publication, failed: boolean): void {
    if (!this.unconfirmed.delete(publication)) return;
    if (failed) publication.settle('unknown', 'the broker does not vouch for it');
    else if (publication.returned) publication.settle('unroutable', 'the broker had no queue for it');
    else publication.settle('accepted', 'the broker has it and keeps it');
    this.sendWaiting();
  }

  /** A return comes before its confirm and names an id alone; of twins with one id any will do, for they are one event. */
  private noteReturn(id: unknown): void {
    for (const publication of this.unconfirmed) {
      if (publication.returned || publication.event.id !== id) continue;
      publication.returned = true;
      return;
    }
  }
}

/** Answers for a publication whose channel ended before its verdict: by the broker's refusal, or with the connection. */
function answerForLost(publication: Publication, refusal: Error | undefined): void {
  const code = (refusal as { code?: unknown } | undefined)?.code;
  if (code === 403) return publication.refuse(new CheckoutError('not-permitted', 'the broker user may not publish this'));
  if (code === 404) return publication.settle('unroutable', `the broker has no exchange ${EVENTS_EXCHANGE}`);
  if (code === 406 && refusal?.message.includes('user_id')) {
    return publication.refuse(new CheckoutError('wrong-user', 'the broker knows this connection by another user'));
  }
  publication.settle('unknown', 'the connection was lost before the broker confirmed it');
}

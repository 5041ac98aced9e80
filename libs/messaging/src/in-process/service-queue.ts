import type { ServiceName } from '@latchkey/contracts';
import type { Doorbell } from './doorbell.js';
import type { MessageStore, SettledMessage, StoredMessage, Taken } from './message-store.js';

/**
 * One service's messages as this process sees them: which are in a consumer's hands, and who wants to know of new ones.
 * What is in hand is kept in memory alone. That suffices because the process has the database for itself, and it is what
 * gives every unsettled message back when the process dies.
 */
export class ServiceQueue {
  private readonly inHand = new Set<string>();
  private readonly givenBack = new Set<string>();
  private readonly doorbells = new Set<Doorbell>();
  private lastTake: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly service: ServiceName,
    private readonly store: MessageStore,
    /** Rows up to this id were there when the bus was opened: an earlier process may have handed them out. */
    private readonly inheritedIdMax: bigint,
  ) {}

  /** Takes free messages. One take at a time, or two consumers would both be given what neither has in hand yet. */
  async take(limit: number): Promise<Taken> {
    const take = this.lastTake.then(async () => {
      const taken = await this.store.take(this.service, [...this.inHand], limit);
      for (const { id } of taken.messages) this.inHand.add(id);
      return taken;
    });
    this.lastTake = take.catch(() => undefined);
    return take;
  }

  /** Carries out verdicts and lets the messages go. When it rejects they are still in hand. */
  async settle(settled: readonly SettledMessage[]): Promise<void> {
    await this.store.settle(settled);
    for (const { message } of settled) {
      this.inHand.delete(message.id);
      this.givenBack.delete(message.id);
    }
  }

  /** Gives messages back unsettled: they may be taken again. */
  giveBack(messages: readonly StoredMessage[]): void {
    for (const { id } of messages) {
      this.inHand.delete(id);
      this.givenBack.add(id);
    }
    this.ring();
  }

  /** Whether some consumer, now or before a crash, may have seen this message already. */
  redelivered(message: StoredMessage): boolean {
    return this.givenBack.has(message.id) || BigInt(message.id) <= this.inheritedIdMax;
  }

  /** Tells every consumer that there may be something to take. */
  ring(): void {
    for (const doorbell of this.doorbells) doorbell.ring();
  }

  listen(doorbell: Doorbell): void {
    this.doorbells.add(doorbell);
  }

  /** The others are woken: the one that leaves may have been the one who waited for the next retry. */
  leave(doorbell: Doorbell): void {
    this.doorbells.delete(doorbell);
    this.ring();
  }
}

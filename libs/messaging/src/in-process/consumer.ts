import type { ServiceName } from '@latchkey/contracts';
import { BATCH_SIZE_MAX, type BatchHandler, type RawMessage, type RetryPolicy, type Running } from '../broker.js';
import { COPIES_EXCHANGE, publicationOf } from '../topology.js';
import { Doorbell } from './doorbell.js';
import type { SettledMessage, StoredMessage } from './message-store.js';
import type { ServiceQueue } from './service-queue.js';
import { settle, settleUncounted } from './settlement.js';

/** What a consumer works with. */
export interface ConsumerOptions {
  readonly service: ServiceName;
  readonly queue: ServiceQueue;
  readonly handler: BatchHandler;
  readonly policy: RetryPolicy;
  /** Told of every round that failed: the handler rejected, or the database did not answer. */
  readonly onFailure: (error: unknown, backoffMs: number) => void;
}

/**
 * How long an idle consumer goes without looking. Everything in the process rings; this finds what another process put
 * there (the quarantine command's redrive), and notices a database that is back.
 */
const LOOK_EVERY_MS = 5_000;
const BACKOFF_MS_MIN = 100;
const BACKOFF_MS_MAX = 5_000;
/** Small enough that what waited for a part that was away is handled within seconds of its return. */
const HELD_MS_MAX = 2_000;
/** The most messages that are held for a part that is away. No more are taken beyond it. */
const HELD_MAX = 2 * BATCH_SIZE_MAX;
/** The most that are held for a called service, so that there is room for messages that do without it. */
const HELD_FOR_CALLED_MAX = BATCH_SIZE_MAX;

/** Takes a service's messages, has them handled, and carries out the verdicts, until it is stopped. */
export class Consumer implements Running {
  private readonly newMessages = new Doorbell();
  private readonly stopped = new Doorbell();
  private stopping = false;
  private failuresInARow = 0;
  private readonly held = new Set<readonly StoredMessage[]>();
  private heldRounds = 0;
  private readonly ended: Promise<void>;

  constructor(private readonly options: ConsumerOptions) {
    options.queue.listen(this.newMessages);
    this.ended = this.run();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.stopped.ring();
    this.newMessages.ring();
    await this.ended;
  }

  private async run(): Promise<void> {
    while (!this.stopping) {
      this.newMessages.reset();
      const idleMs = await this.round();
      if (idleMs > 0) await this.newMessages.wait(idleMs);
    }
    for (const messages of this.held) this.giveBackHeld(messages);
    this.options.queue.leave(this.newMessages);
  }

  /** Handles what is waiting. Answers how long there will be nothing to do unless somebody rings. */
  private async round(): Promise<number> {
    try {
      if (this.heldCount >= HELD_MAX) return HELD_MS_MAX;
      const { messages, nextRetryInMs } = await this.options.queue.take(BATCH_SIZE_MAX);
      if (messages.length === 0) {
        this.failuresInARow = 0;
        return Math.min(Math.max(Math.ceil(nextRetryInMs ?? LOOK_EVERY_MS), 1), LOOK_EVERY_MS);
      }
      await this.handle(messages);
      this.failuresInARow = 0;
    } catch (error) {
      await this.backOff(error);
    }
    return 0;
  }

  private async handle(messages: readonly StoredMessage[]): Promise<void> {
    const { queue, handler, policy } = this.options;
    try {
      if (this.stopping) return queue.giveBack(messages);
      const verdicts = await handler(messages.map((message) => this.asRaw(message)));
      // A verdict too few would leave a message in hand for ever; one too many means that they belong to other messages.
      if (verdicts.length !== messages.length) throw new Error(`${verdicts.length} verdicts for ${messages.length} messages`);
      const held: StoredMessage[] = [];
      const settled: SettledMessage[] = [];
      for (const [index, message] of messages.entries()) {
        const verdict = verdicts[index]!;
        const mayHold = verdict.kind === 'wait' && (verdict.queueWaits || this.heldCount + held.length < HELD_FOR_CALLED_MAX);
        if (mayHold) held.push(message);
        else if (verdict.kind === 'wait') settled.push({ message, settlement: settleUncounted(message.attempt, verdict.reason, policy) });
        else settled.push({ message, settlement: settle(message.attempt, verdict, policy) });
      }
      if (settled.length > 0) await queue.settle(settled);
      this.hold(held, messages.length);
    } catch (error) {
      queue.giveBack(messages);
      throw error;
    }
  }

  private get heldCount(): number {
    return [...this.held].reduce((sum, { length }) => sum + length, 0);
  }

  /** Keeps messages that wait for a part that is away, while others are handled, and gives them back after a short delay. */
  private hold(messages: readonly StoredMessage[], batchSize: number): void {
    this.heldRounds = messages.length === batchSize ? this.heldRounds + 1 : 0;
    if (messages.length === 0) return;
    this.held.add(messages);
    const delayMs = Math.min(BACKOFF_MS_MIN * 2 ** Math.min(this.heldRounds, 10), HELD_MS_MAX);
    setTimeout(() => this.giveBackHeld(messages), delayMs).unref();
  }

  private giveBackHeld(messages: readonly StoredMessage[]): void {
    if (this.held.delete(messages)) this.options.queue.giveBack(messages);
  }

  /** Waits before the next round. New messages do not cut it short: under load that would be a hot loop. */
  private async backOff(error: unknown): Promise<void> {
    const backoffMs = Math.min(BACKOFF_MS_MIN * 2 ** this.failuresInARow, BACKOFF_MS_MAX);
    this.failuresInARow += 1;
    this.options.onFailure(error, backoffMs);
    await this.stopped.wait(backoffMs);
  }

  private asRaw(message: StoredMessage): RawMessage {
    const { queue, service } = this.options;
    const { body, contentType, headers, exchange, type, attempt } = message;
    const publication = publicationOf(type, exchange === COPIES_EXCHANGE ? service : undefined);
    return { body, contentType, headers, ...publication, publisher: undefined, attempt, redelivered: queue.redelivered(message) };
  }
}

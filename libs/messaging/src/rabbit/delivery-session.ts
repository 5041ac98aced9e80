import { MESSAGE_BYTES_MAX } from '@latchkey/contracts';
import type { Channel, ConsumeMessage } from 'amqplib';
import type { BatchHandler, RetryPolicy } from '../broker.js';
import { AckWindow } from './ack-window.js';
import { type Backoff, backoffMs, pause } from './backoff.js';
import type { ConfirmedPublisher } from './confirmed-publisher.js';
import { type OutgoingMessage, type Reader, toRawMessage, uncountedMessage, verdictMessage } from './envelope.js';
import { HeldMessages, type Released, type WaitingMessage } from './held-messages.js';
import type { BrokerLogger } from '../observer.js';
import { messageOf } from './message-of.js';
import { RETRY_KEYS } from '../topology.js';

/** What a consumer works with, whichever channel its messages come by. */
export interface SessionOptions {
  readonly reader: Reader;
  readonly handler: BatchHandler;
  readonly policy: RetryPolicy;
  readonly batchSizeMax: number;
  /**
   * How long a message may be held, unacknowledged, in milliseconds; then it is published again and waits anew. It must be shorter
   * than the broker's consumer timeout (30 minutes by default), which closes the channel and counts a delivery of each message.
   */
  readonly heldMsMax: number;
  /** Publishes retries and quarantined messages. */
  readonly publisher: ConfirmedPublisher;
  /** Declares the service's queues again, when one of them turns out to be missing. */
  redeclare(): Promise<void>;
  readonly logger: BrokerLogger;
}

/** A message that leaves `in` for a rung or quarantine, and lies in both until the broker has confirmed it. */
interface Move {
  readonly deliveryTag: number;
  readonly message: OutgoingMessage;
}

/** A batch with its verdicts: what may be let go, and what has to be somewhere else first. */
interface Handled {
  readonly finished: number[];
  readonly moves: Move[];
  readonly waits: WaitingMessage[];
}

const REPEAT: Backoff = { firstMs: 200, maxMs: 10_000 };
/** How long a clean stop goes on with what it was given, in milliseconds. It has to fit into what a process is given to stop. */
const DRAIN_MS = 5_000;

/**
 * The messages of one channel: takes what is waiting, has it handled, carries out the verdicts, and only then lets the
 * messages go. A delivery belongs to its channel: when that dies, the session ends with it and settles nothing more, for
 * the same tag on another channel is another message.
 *
 * A message that waits for a part that is away is held, while others go on (see `HeldMessages`). What could not be handled at
 * all stays in hand, unacknowledged, and is tried again after a growing delay. It is not given back
 * to the broker meanwhile: that would bring it back at once, and count as a delivery each time, until it and its innocent
 * neighbours are over the delivery limit. The broker gives it to somebody else when this process stops or dies, or at its
 * consumer timeout.
 */
export class DeliverySession {
  private readonly waiting: ConsumeMessage[] = [];
  private readonly held: HeldMessages;
  private readonly window = new AckWindow();
  private readonly ending = new AbortController();
  private readonly moving = new Set<Promise<void>>();
  private readonly worked: Promise<void>;
  private wake: () => void = () => undefined;
  private dead = false;
  private drainUntilMs = 0;

  /** `previous` is the batch that an earlier channel left in the handler's hands; it gets time to end. */
  constructor(
    private readonly channel: Channel,
    private readonly options: SessionOptions,
    previous: Promise<void>,
  ) {
    this.held = new HeldMessages(options.batchSizeMax, options.heldMsMax);
    this.ending.signal.addEventListener('abort', () => this.wake());
    // At once, not when `die` is called: an acknowledgement in between would throw.
    channel.once('close', () => (this.dead = true));
    // Ended before the handler is free: what waits would be handled beside what it is still busy with.
    this.worked = previous.then(() => (this.ending.signal.aborted ? undefined : this.work()));
  }

  /** How many messages it has taken and not settled. */
  get inHand(): number {
    return this.window.size;
  }

  /** Takes a delivery. One that is too large for anybody is refused unread, before many of them fill the memory. */
  take(message: ConsumeMessage): void {
    if (this.ending.signal.aborted) return;
    if (message.content.length > MESSAGE_BYTES_MAX) {
      this.refuse(message);
      return;
    }
    this.window.delivered(message.fields.deliveryTag);
    this.waiting.push(message);
    this.wake();
  }

  /**
   * Takes no more, and resolves when what it was given is handled and settled. What cannot be handled, or not in time, is
   * left to the broker, as is everything once the channel is gone. Without this every clean stop would have up to a whole
   * prefetch delivered again, late, out of order, and counted against the delivery limit.
   */
  async drain(): Promise<void> {
    this.drainUntilMs = performance.now() + DRAIN_MS;
    this.ending.abort();
    await this.worked;
    await Promise.all(this.moving);
  }

  /** The channel is gone. Resolves when the handler has let go of the last batch; nothing of it is settled. */
  async die(): Promise<void> {
    this.dead = true;
    await this.drain();
  }

  private async work(): Promise<void> {
    let failures = 0;
    while (!this.ending.signal.aborted || this.mayDrain()) {
      // A service that stops leaves to the broker what it cannot handle now.
      const wasHeld = !this.ending.signal.aborted && this.held.dueInMs(performance.now()) === 0;
      const batch = wasHeld ? this.held.take(this.options.batchSizeMax) : this.waiting.splice(0, this.options.batchSizeMax);
      if (batch.length === 0) {
        await this.untilWoken();
        continue;
      }
      const handled = await this.handle(batch);
      if (handled) {
        failures = 0;
        this.settle(handled);
        const { waits, finished } = handled;
        this.release(this.held.note({ waits, size: batch.length, wasHeld, hasDone: finished.length > 0 }, performance.now()));
        continue;
      }
      if (this.ending.signal.aborted) return;
      this.waiting.unshift(...batch);
      failures += 1;
      await pause(backoffMs(REPEAT, failures), this.ending.signal);
    }
  }

  /** Resolves at the next message, at the end, or when held messages are to be handled again. */
  private async untilWoken(): Promise<void> {
    const woken = new Promise<void>((resolve) => (this.wake = resolve));
    const dueInMs = this.held.dueInMs(performance.now());
    const timer = dueInMs === undefined ? undefined : setTimeout(this.wake, dueInMs);
    await woken;
    clearTimeout(timer);
  }

  /** Publishes messages again that are held no longer, without counting an attempt. */
  private release({ toRung, toQueue }: Released): void {
    const { reader, policy } = this.options;
    const move = (message: ConsumeMessage, routingKey: string): Move => ({
      deliveryTag: message.fields.deliveryTag,
      message: uncountedMessage(message, routingKey, reader),
    });
    const rung = policy.ladder[0]!.name;
    this.settle({ finished: [], waits: [], moves: [...toRung.map((one) => move(one, rung)), ...toQueue.map((one) => move(one, RETRY_KEYS.in))] });
  }

  private mayDrain(): boolean {
    return !this.dead && this.waiting.length > 0 && performance.now() < this.drainUntilMs;
  }

  /** What becomes of each message, or undefined when the handler did not handle the batch. */
  private async handle(batch: readonly ConsumeMessage[]): Promise<Handled | undefined> {
    const { handler, reader, policy, logger } = this.options;
    try {
      const verdicts = await handler(batch.map((message) => toRawMessage(message, reader)));
      // One verdict too few or too many may mean that they belong to other messages.
      if (verdicts.length !== batch.length) throw new Error(`${verdicts.length} verdicts for ${batch.length} messages`);
      const handled: Handled = { finished: [], moves: [], waits: [] };
      for (const [index, message] of batch.entries()) {
        const [verdict, { deliveryTag }] = [verdicts[index]!, message.fields];
        if (verdict.kind === 'done') handled.finished.push(deliveryTag);
        else if (verdict.kind === 'wait') handled.waits.push({ message, queueWaits: verdict.queueWaits === true });
        else handled.moves.push({ deliveryTag, message: verdictMessage(message, verdict, reader, policy) });
      }
      return handled;
    } catch (error) {
      // Only the name: what a handler throws may quote the message.
      const name = error instanceof Error ? error.name : 'unknown';
      logger.error('a batch was not handled and is repeated', { service: reader.service, messages: batch.length, error: name });
      return undefined;
    }
  }

  private settle({ finished, moves }: Handled): void {
    this.acknowledge(finished);
    if (moves.length === 0 || this.dead) return;
    // Not awaited: while the broker takes nothing, those that are done go on, until the prefetch is used up.
    const moving = this.carryOut(moves).finally(() => this.moving.delete(moving));
    this.moving.add(moving);
  }

  /** Publishes until confirmed, and acknowledges only then: a message that left `in` unconfirmed would be lost. */
  private async carryOut(moves: readonly Move[]): Promise<void> {
    const { publisher, reader, logger } = this.options;
    let open = moves;
    for (let failures = 1; !this.dead; failures += 1) {
      const outcomes = await publisher.send(open.map(({ message }) => message));
      const tagsOf = (outcome: string) => open.filter((_, index) => outcomes[index] === outcome).map(({ deliveryTag }) => deliveryTag);
      this.acknowledge(tagsOf('confirmed'));
      // What cannot be sent with its history goes to quarantine by the broker's own hand, as it is.
      this.reject(tagsOf('unsendable'));
      const unroutable = outcomes.includes('unroutable');
      open = open.filter((_, index) => outcomes[index] === 'failed' || outcomes[index] === 'unroutable');
      if (open.length === 0 || this.ending.signal.aborted) return;
      logger.warn('verdicts could not be carried out yet', { service: reader.service, messages: open.length, unroutable });
      if (unroutable) await this.redeclare();
      await pause(backoffMs(REPEAT, failures), this.ending.signal);
    }
  }

  private async redeclare(): Promise<void> {
    const { options } = this;
    const report = (error: unknown) => options.logger.error('queues could not be declared', { service: options.reader.service, error: messageOf(error) });
    await options.redeclare().catch(report);
  }

  private acknowledge(deliveryTags: readonly number[]): void {
    if (this.dead) return;
    for (const { deliveryTag, multiple } of this.window.settle(deliveryTags)) this.channel.ack(delivered(deliveryTag), multiple);
  }

  private reject(deliveryTags: readonly number[]): void {
    if (this.dead) return;
    this.window.settle(deliveryTags);
    for (const deliveryTag of deliveryTags) this.channel.nack(delivered(deliveryTag), false, false);
  }

  /** The queue's dead-letter arguments bring it into quarantine, safely and without its passing through here again. */
  private refuse(message: ConsumeMessage): void {
    const { reader, logger } = this.options;
    logger.warn('a message is too large and goes to quarantine', { service: reader.service, bytes: message.content.length });
    this.channel.nack(message, false, false);
  }
}

/** All that amqplib reads of a message to settle it. Keeping the message itself would keep its body. */
function delivered(deliveryTag: number): ConsumeMessage {
  return { fields: { deliveryTag } } as ConsumeMessage;
}

import type { ConsumeMessage } from 'amqplib';
import { type Backoff, backoffMs } from './backoff.js';

/** A message whose verdict was `wait`. */
export interface WaitingMessage {
  readonly message: ConsumeMessage;
  /** As in the verdict: the part is one that every message needs. */
  readonly queueWaits: boolean;
}

/** Messages that are held no longer. */
export interface Released {
  /** To the first rung of the ladder: there are too many that wait for a called service. */
  readonly toRung: readonly ConsumeMessage[];
  /** To the end of the queue: they were held so long that the broker would soon take them away, with the whole channel. */
  readonly toQueue: readonly ConsumeMessage[];
}

/** How one batch ended. */
export interface BatchEnd {
  readonly waits: readonly WaitingMessage[];
  /** How many messages the batch had. */
  readonly size: number;
  /** Whether it was made of held messages. */
  readonly wasHeld: boolean;
  /** Whether a message of it was done, which shows that the service's own parts are there. */
  readonly hasDone: boolean;
}

/** How long a message is held at most, in milliseconds: a third of RabbitMQ's default consumer timeout. */
export const HELD_MS_MAX = 600_000;

const NOTHING: Released = { toRung: [], toQueue: [] };
/** Small enough that what waited for a part is handled within seconds of its return. */
const HELD: Backoff = { firstMs: 200, maxMs: 2_000 };

/** The messages that a consumer keeps, unacknowledged, because a part that they need is away. */
export class HeldMessages {
  private held: WaitingMessage[] = [];
  private readonly sinceMs = new Map<number, number>();
  private roundsInVain = 0;
  private dueMs = 0;

  /** `calledMax`: how many may wait for called services; `heldMsMax`: how long any may wait. */
  constructor(
    private readonly calledMax: number,
    private readonly heldMsMax: number,
  ) {}

  /** Milliseconds until held messages are to be handled again; undefined if there are none. */
  dueInMs(nowMs: number): number | undefined {
    return this.held.length > 0 ? Math.max(0, this.dueMs - nowMs) : undefined;
  }

  /** Messages to handle again, the oldest first. */
  take(sizeMax: number): ConsumeMessage[] {
    return this.held.splice(0, sizeMax).map(({ message }) => message);
  }

  /** Notes the end of a batch: holds what waits, decides when it is handled again, and answers what is held no longer. */
  note({ waits, size, wasHeld, hasDone }: BatchEnd, nowMs: number): Released {
    if (waits.length === 0 && this.sinceMs.size === 0) return NOTHING;
    if (wasHeld) this.roundsInVain = waits.length < size ? 0 : this.roundsInVain + 1;
    // Messages that do without the part must not bring the others back sooner: each of those may cost a call that times out.
    if (wasHeld || this.held.length === 0) this.dueMs = nowMs + backoffMs(HELD, this.roundsInVain + 1);
    for (const { message } of waits) this.sinceMs.set(tagOf(message), this.sinceMs.get(tagOf(message)) ?? nowMs);
    this.held.push(...waits);
    const isBack = (wasHeld && waits.length === 0) || (hasDone && this.held.some(({ queueWaits }) => queueWaits));
    if (isBack) this.dueMs = 0;
    const released = this.release(nowMs);
    const kept = new Set(this.held.map(({ message }) => tagOf(message)));
    for (const tag of this.sinceMs.keys()) if (!kept.has(tag)) this.sinceMs.delete(tag);
    return released;
  }

  private release(nowMs: number): Released {
    const toQueue = this.remove(({ message }) => nowMs - (this.sinceMs.get(tagOf(message)) ?? nowMs) >= this.heldMsMax);
    let excess = this.held.filter(({ queueWaits }) => !queueWaits).length - this.calledMax;
    const toRung = this.remove(({ queueWaits }) => !queueWaits && (excess -= 1) >= 0);
    return { toRung, toQueue };
  }

  private remove(isRemoved: (one: WaitingMessage) => boolean): ConsumeMessage[] {
    const removed: ConsumeMessage[] = [];
    this.held = this.held.filter((one) => {
      if (!isRemoved(one)) return true;
      removed.push(one.message);
      return false;
    });
    return removed;
  }
}

function tagOf({ fields }: ConsumeMessage): number {
  return fields.deliveryTag;
}

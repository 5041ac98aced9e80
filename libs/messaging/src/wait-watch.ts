/** A message that has not been seen for so long is in the hands of another replica, which reports it. */
const SEEN_MS_MAX = 60_000;
/** More need not be remembered to know that some wait. */
const REMEMBERED_MAX = 1_000;

/**
 * When messages of one type begin to wait for a part that is away, and when the last of them is handled. Others of the type may be
 * handled meanwhile, which is no end: reported as one, an outage would fill the log with beginnings and ends.
 */
export class WaitWatch {
  private readonly seenMs = new Map<string, number>();

  /** Whether some wait. */
  get isActive(): boolean {
    return this.seenMs.size > 0;
  }

  /** Notes how a batch ended, by the keys of its events. Answers what is to be reported. */
  note(waiting: readonly string[], handled: readonly string[], nowMs: number): 'begins' | 'ends' | undefined {
    const before = this.isActive;
    for (const key of waiting) if (this.seenMs.size < REMEMBERED_MAX || this.seenMs.has(key)) this.seenMs.set(key, nowMs);
    if (!before) return this.isActive ? 'begins' : undefined;
    for (const key of handled) this.seenMs.delete(key);
    for (const [key, seenMs] of this.seenMs) if (nowMs - seenMs > SEEN_MS_MAX) this.seenMs.delete(key);
    return this.isActive ? undefined : 'ends';
  }
}

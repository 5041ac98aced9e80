const WINDOW_MS = 60_000;

/**
 * How many denials of one token are told: a player that asks with a dead token in a loop would otherwise fill outbox and
 * queues with the same news. Counted in memory, for each replica by itself, in windows of a minute.
 */
export class DenialQuota {
  private readonly told = new Map<string, number>();
  private windowStartMs = Number.NEGATIVE_INFINITY;

  /** `tokensMax` bounds the memory: in a minute with more denied tokens the ones beyond are not told. */
  constructor(
    private readonly perTokenMax: number,
    private readonly tokensMax: number,
  ) {}

  /** Takes one from the token's quota; false where it is used up. `nowMs` never goes back. */
  take(tokenId: string, nowMs: number): boolean {
    if (nowMs - this.windowStartMs >= WINDOW_MS) {
      this.told.clear();
      this.windowStartMs = nowMs;
    }
    const count = this.told.get(tokenId) ?? 0;
    if (count >= this.perTokenMax || (count === 0 && this.told.size >= this.tokensMax)) return false;
    this.told.set(tokenId, count + 1);
    return true;
  }
}

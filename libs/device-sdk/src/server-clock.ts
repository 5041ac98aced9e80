/** What differs by less is left alone, in milliseconds: `Date` counts whole seconds, and answers take their time. */
const SKEW_NOTED_MS = 5_000;

/**
 * How far the server's clock is ahead of ours by its `Date` header, in milliseconds; undefined where it says nothing.
 * Negative where ours is ahead. It was written somewhere between `sentMs` and `receivedMs`, both by our clock.
 */
export function skewMsOf(date: string | null | undefined, sentMs: number, receivedMs: number): number | undefined {
  const serverMs = Date.parse(date ?? '');
  if (Number.isNaN(serverMs)) return undefined;
  // The middle of the second that it names, and the middle of the time that the answer took.
  const skewMs = serverMs + 500 - (sentMs + receivedMs) / 2;
  return Math.abs(skewMs) < SKEW_NOTED_MS ? 0 : skewMs;
}

/** The time as the server has it. A proof is good for a minute, and televisions are wrong by years. */
export class ServerClock {
  private skewMs = 0;

  constructor(private readonly now: () => number = Date.now) {}

  /** Our own time, in milliseconds since 1970. */
  localMs(): number {
    return this.now();
  }

  /** The server's time, in whole seconds since 1970. */
  nowSeconds(): number {
    return Math.floor((this.now() + this.skewMs) / 1000);
  }

  /** Learns from an answer; whether that moved the clock so far that proofs made before may have been refused for it. */
  learn(date: string | null | undefined, sentMs: number, receivedMs: number): boolean {
    const skewMs = skewMsOf(date, sentMs, receivedMs);
    if (skewMs === undefined) return false;
    const moved = Math.abs(skewMs - this.skewMs) >= SKEW_NOTED_MS;
    if (moved) this.skewMs = skewMs;
    return moved;
  }
}

/** Seconds by which clocks may differ before it is reported: requests expire after five. */
const TOLERANCE_MS = 2_000;
const REPORT_EVERY_MS = 60_000;

/** When a request was sent and expires, by the caller's clock, in milliseconds since 1970. */
export interface RequestTimes {
  readonly sentMs: number;
  readonly deadlineMs: number;
}

/**
 * Finds that a caller's clock differs from ours, which makes every request of one of the two useless: it seems to have expired,
 * and nothing is done. The broker drops what has really expired, by a clock of its own, so a request that arrives after its
 * deadline shows a difference; one that comes from the future does as well. What waited in between shows nothing.
 */
export class ClockWatch {
  private reportedMs = Number.NEGATIVE_INFINITY;

  /** `report` gets the seconds by which our clock is ahead of the caller's; at most once a minute. */
  constructor(private readonly report: (aheadSeconds: number) => void) {}

  /** Looks at one request. `nowMs` is our clock. */
  note({ sentMs, deadlineMs }: RequestTimes, nowMs: number): void {
    const differs = nowMs >= deadlineMs || sentMs - nowMs > TOLERANCE_MS;
    if (!differs || !Number.isFinite(sentMs) || nowMs - this.reportedMs < REPORT_EVERY_MS) return;
    this.reportedMs = nowMs;
    this.report((nowMs - sentMs) / 1000);
  }
}

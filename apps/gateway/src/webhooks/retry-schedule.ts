/** How long is waited after each attempt that was not taken, in seconds: two days in all, then the delivery is given up. */
const waitsSeconds = [5, 30, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 9 * 3600, 14 * 3600, 18 * 3600] as const;

/** How many attempts a delivery has. */
export const ATTEMPTS_MAX = waitsSeconds.length + 1;

/** At most so much longer than its schedule a wait takes, so that what failed together does not come back together. */
const JITTER_SHARE = 0.2;
/** The longest that a receiver can put us off for with `Retry-After`, in seconds. */
const RETRY_AFTER_SECONDS_MAX = 24 * 3600;

/**
 * How long to wait after the `attempt`th attempt (from 1), in seconds; undefined where there is no further one. A
 * receiver's `Retry-After` makes the wait longer, never shorter. `random` lies from 0 to 1.
 */
export function waitSecondsAfter(attempt: number, retryAfterSeconds: number | undefined, random: number): number | undefined {
  const scheduled = waitsSeconds[attempt - 1];
  if (scheduled === undefined) return undefined;
  return Math.max(scheduled, Math.min(retryAfterSeconds ?? 0, RETRY_AFTER_SECONDS_MAX)) * (1 + JITTER_SHARE * random);
}

/** What a `Retry-After` header says (RFC 9110 §10.2.3: seconds, or a date), in seconds from now; undefined where it says nothing. */
export function readRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Number(header);
  const atMs = /^[A-Za-z]{3,9}, /.test(header) ? Date.parse(header) : Number.NaN;
  return Number.isNaN(atMs) ? undefined : Math.max(0, (atMs - nowMs) / 1000);
}

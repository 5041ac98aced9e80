/** Sent at most so many times while the network or the server is away. */
export const ATTEMPTS_MAX = 3;

/** Nobody waits for longer than this between two attempts, in seconds: where the server asks for more, the app is told. */
export const WAIT_SECONDS_MAX = 10;

const FIRST_WAIT_MS = 300;

/** `Retry-After` in seconds, where it names a number of them; a date is a clock's word, and clocks are wrong. */
export function readRetryAfter(header: string | null): number | undefined {
  return header !== null && /^[0-9]{1,6}$/.test(header) ? Number(header) : undefined;
}

/**
 * How long to wait before the next attempt, in milliseconds; undefined where there is none. `attempt` counts from 1,
 * `random` lies in [0, 1): devices that were cut off together do not come back together.
 */
export function waitMsBefore(attempt: number, retryAfterSeconds: number | undefined, random: number): number | undefined {
  if (attempt >= ATTEMPTS_MAX || (retryAfterSeconds ?? 0) > WAIT_SECONDS_MAX) return undefined;
  const backoffMs = FIRST_WAIT_MS * 2 ** (attempt - 1);
  return Math.max(backoffMs, (retryAfterSeconds ?? 0) * 1000) * (1 + random / 2);
}

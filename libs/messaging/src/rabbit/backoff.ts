import { setTimeout as delay } from 'node:timers/promises';

/** How long to wait after failures in a row, in milliseconds. */
export interface Backoff {
  readonly firstMs: number;
  readonly maxMs: number;
}

/**
 * The wait after the nth failure in a row: doubling up to the maximum, of which half is chance, so that what lost the
 * broker together does not come back together.
 */
export function backoffMs({ firstMs, maxMs }: Backoff, failures: number, random: () => number = Math.random): number {
  const fullMs = Math.min(maxMs, firstMs * 2 ** Math.max(0, failures - 1));
  return fullMs / 2 + (fullMs / 2) * random();
}

/** Waits, or returns early when the signal says that it no longer matters. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

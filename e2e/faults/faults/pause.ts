import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../random.js';

/** Lets a random time pass, in milliseconds, so that what follows happens at no particular moment. */
export async function pause(random: Random, leastMs: number, mostMs: number): Promise<void> {
  await delay(random.between(leastMs, mostMs));
}

/** Looks again and again until `look` answers true; false when that takes longer than `timeoutMs`. */
export async function within(timeoutMs: number, look: () => boolean | Promise<boolean>): Promise<boolean> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    // A server that is away is no answer, and may be back at the next look.
    if (await Promise.resolve().then(look).catch(() => false)) return true;
    if (performance.now() > deadlineMs) return false;
    await delay(100);
  }
}

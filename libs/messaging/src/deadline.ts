import { AsyncLocalStorage } from 'node:async_hooks';
import { Problem } from '@latchkey/contracts';

const deadlines = new AsyncLocalStorage<number>();

/** Runs `work` on behalf of somebody who listens until `deadlineMs` (milliseconds since 1970) and not longer. */
export function withDeadline<T>(deadlineMs: number, work: () => T): T {
  return deadlines.run(deadlineMs, work);
}

/** How long whoever asked still listens, in milliseconds; undefined where nobody waits. */
export function remainingMs(): number | undefined {
  const deadlineMs = deadlines.getStore();
  return deadlineMs === undefined ? undefined : deadlineMs - Date.now();
}

/**
 * Throws `unavailable` when whoever asked has given up: they were told that it did not happen, so it must not happen any
 * more. Called before anything is committed.
 */
export function refuseIfLate(): void {
  const remaining = remainingMs();
  if (remaining !== undefined && remaining <= 0) throw new Problem('unavailable', { detail: 'the asker no longer listens' });
}

import { setTimeout as delay } from 'node:timers/promises';
import { nowMs } from './history.js';
import { countPending, readOutboxes } from './read-final-state.js';
import type { Target } from './system/target.js';

const LOOK_EVERY_MS = 500;
/** The management API's figures lag by a second or so: empty counts when it has been seen so often in a row. */
const QUIET_LOOKS = 5;

/** Waits until nothing is under way; resolves to when that was, or null where it did not come within the bound. */
export async function drain(target: Target, boundMs: number): Promise<number | null> {
  const deadline = nowMs() + boundMs;
  let quiet = 0;
  let quietSince = 0;
  while (nowMs() < deadline) {
    const lookedAt = nowMs();
    // What cannot be looked at is not quiet: a server may still be on its way up.
    const underWay = await countUnderWay(target).catch(() => 1);
    if (underWay > 0) quiet = 0;
    else if ((quiet += 1) === 1) quietSince = lookedAt;
    if (quiet === QUIET_LOOKS) return quietSince;
    await delay(LOOK_EVERY_MS);
  }
  return null;
}

async function countUnderWay(target: Target): Promise<number> {
  const [outboxes, queues, pending] = await Promise.all([readOutboxes(target), target.queues(), countPending(target)]);
  const waiting = queues.filter(({ name }) => !name.endsWith('.dlq')).map(({ messages, unacknowledged }) => messages + unacknowledged);
  return [...Object.values(outboxes), ...waiting, pending].reduce((sum, each) => sum + each, 0);
}

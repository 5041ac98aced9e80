import { appendFileSync } from 'node:fs';

/** @typedef {{ pull(options: Record<string, any>): void, release(): void }} Lever */

/** @type {Map<string, Lever>} */
const levers = new Map();
/** @type {Record<string, number>} */
export const counts = {};

/** Gives a lever its name. */
export function lever(name, pull, release) {
  levers.set(name, { pull, release });
}

/** Pulls a lever; throws where there is none of that name. */
export function pull(name, options) {
  const found = levers.get(name);
  if (!found) throw new Error(`there is no lever ${name}, only ${[...levers.keys()].join(', ')}`);
  found.pull(options);
}

/** Lets a lever go. */
export function release(name) {
  levers.get(name)?.release();
}

/** Counts that something happened. */
export function count(name, by = 1) {
  counts[name] = (counts[name] ?? 0) + by;
}

/** Ends this process as `kill -9` does, at this very instruction, after noting in a file that outlives it that it did. */
export function die(why) {
  appendFileSync(process.env.FAULTS_STRIKES, `${why}\n`);
  process.kill(process.pid, 'SIGKILL');
  // The signal may come a moment later; nothing may be done in it.
  for (;;);
}

/** Stands still at this very instruction, as a process does whose machine is paused, until it is sent SIGCONT. */
export function freeze(why) {
  appendFileSync(process.env.FAULTS_STRIKES, `${why}\n`);
  process.kill(process.pid, 'SIGSTOP');
}

import type { Bounds } from './explore.js';

/** Set to `long` by `npm run interleavings`. */
export const FORM_VARIABLE = 'LATCHKEY_INTERLEAVINGS';
/** Where random schedules begin; the long form prints nothing without it that could not be repeated. */
export const SEED_VARIABLE = 'LATCHKEY_INTERLEAVINGS_SEED';

/** Whether the long form was asked for. */
export function isLongForm(): boolean {
  return process.env[FORM_VARIABLE] === 'long';
}

/**
 * The bounds of this run: a few orders of each scenario beside the other suites, or all with two preemptions and
 * random ones.
 */
export function interleavingBounds(short: Partial<Bounds> = {}, long: Partial<Bounds> = {}): Bounds {
  const seed = Number(process.env[SEED_VARIABLE] ?? 1);
  if (isLongForm()) return { preemptionsMax: 2, schedulesMax: 600, randomCount: 40, seed, ...long };
  return { preemptionsMax: 1, schedulesMax: 8, randomCount: 2, seed, ...short };
}

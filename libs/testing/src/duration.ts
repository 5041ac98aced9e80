/** A stretch of time; its parts are added up. */
export interface Duration {
  readonly days?: number;
  readonly hours?: number;
  readonly minutes?: number;
  readonly seconds?: number;
}

/**
 * A duration in whole seconds. Throws a RangeError where it is none, or does not lead forward: a clock that goes back breaks
 * what no real clock breaks.
 */
export function secondsOf({ days = 0, hours = 0, minutes = 0, seconds = 0 }: Duration): number {
  const total = Math.round(days * 86_400 + hours * 3_600 + minutes * 60 + seconds);
  if (!Number.isSafeInteger(total) || total <= 0) throw new RangeError('Time travels forward, by a second at least.');
  return total;
}

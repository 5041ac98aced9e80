import type { Refused, Unavailable } from './upstream-answer.js';

/** What was answered, and will be answered again until somebody has changed something. */
type Unusable = Refused | { readonly kind: 'unusable' };

const UNAVAILABLE_SECONDS_MAX = 30;
const REFUSED_SECONDS_MIN = 60;
const REFUSED_SECONDS_MAX = 3_600;

/** At most so much shorter than its schedule a wait is, so that what failed together does not come back together. */
const JITTER_SHARE = 0.3;

/**
 * When to try again what has failed. Refusals in a row and missing answers in a row are counted each for themselves: a provider
 * that comes back after an hour, and refuses for a moment, is not left for an hour more. `random` lies from 0 to 1.
 */
export function postponementOf({ attempt, lastFailure }: { readonly attempt: number; readonly lastFailure: string | null }, outcome: Unusable | Unavailable, random: number): { attempt: number; waitSeconds: number; failure: string } {
  const failure = failureOf(outcome);
  const again = lastFailure === null || isRefusal(lastFailure) === isRefusal(failure);
  const inARow = again ? attempt : 1;
  return { attempt: inARow, waitSeconds: waitSecondsAfter(inARow, outcome, random), failure };
}

/**
 * How long to wait after the `attempt`th attempt (from 1), in seconds. A provider that does not answer is asked soon again:
 * its circuit breaker keeps that from being much. What it refuses it will refuse until somebody has changed something.
 */
export function waitSecondsAfter(attempt: number, outcome: Unusable | Unavailable, random: number): number {
  const doubled = 2 ** Math.min(attempt - 1, 12);
  const scheduled = outcome.kind === 'unavailable' ? Math.min(doubled, UNAVAILABLE_SECONDS_MAX) : Math.min(REFUSED_SECONDS_MIN * doubled, REFUSED_SECONDS_MAX);
  return scheduled * (1 - JITTER_SHARE * random);
}

/** How long to wait before a cookie is asked for again whose device was not there at the `attempt`th time, in seconds. */
export function recordWaitSecondsAfter(attempt: number, random: number): number {
  return Math.min(2 ** Math.min(attempt - 1, 12), UNAVAILABLE_SECONDS_MAX) * (1 - JITTER_SHARE * random);
}

/** An outcome in a word, for people and metrics: never a text of the provider's. */
export function failureOf(outcome: Unusable | Unavailable): string {
  if (outcome.kind === 'unusable') return 'refused: no device id of its DRM';
  if (outcome.kind === 'unavailable') return `unavailable: ${outcome.why}`;
  return `refused: ${outcome.code ?? outcome.status}`;
}

function isRefusal(failure: string): boolean {
  return failure.startsWith('refused');
}

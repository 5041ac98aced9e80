import type { DeliveryFailure } from '@latchkey/contracts';
import type { AttemptOutcome } from './post-webhook.js';
import { waitSecondsAfter } from './retry-schedule.js';

/** What an attempt does to its delivery, and to its webhook. */
export interface AttemptVerdict {
  readonly state: 'pending' | 'delivered' | 'failed';
  readonly status: number | undefined;
  readonly failure: DeliveryFailure | undefined;
  /** Where it stays pending: how long until the next attempt, in seconds. */
  readonly waitSeconds: number | undefined;
  /** The receiver wants nothing more from us. */
  readonly disables: boolean;
}

const GONE = 410;

/** Judges the `attempt`th attempt (from 1) of a delivery. `random` lies from 0 to 1. */
export function judgeAttempt(outcome: Exclude<AttemptOutcome, { kind: 'interrupted' }>, attempt: number, random: number): AttemptVerdict {
  if (outcome.kind === 'answered' && outcome.status >= 200 && outcome.status < 300) {
    return { state: 'delivered', status: outcome.status, failure: undefined, waitSeconds: undefined, disables: false };
  }
  const status = outcome.kind === 'answered' ? outcome.status : undefined;
  const failure = outcome.kind === 'answered' ? failureOfStatus(outcome.status) : outcome.failure;
  const disables = failure === 'gone';
  const waitSeconds = disables ? undefined : waitSecondsAfter(attempt, outcome.kind === 'answered' ? outcome.retryAfterSeconds : undefined, random);
  return { state: waitSeconds === undefined ? 'failed' : 'pending', status, failure, waitSeconds, disables };
}

function failureOfStatus(status: number): DeliveryFailure {
  if (status === GONE) return 'gone';
  return status >= 300 && status < 400 ? 'redirect' : 'answer';
}

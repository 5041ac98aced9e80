import type { RetryPolicy, Verdict } from '../broker.js';
import { retryStepOf } from '../retry-step.js';
import { storableText } from './storable-text.js';

/** What is to become of one stored message: `done` deletes it, the others say where it goes and from when it may be taken. */
export interface Settlement {
  readonly state: 'done' | 'retry' | 'dlq';
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string | undefined;
}

const REASON_LENGTH_MAX = 512;

/** What becomes of a message that waits for a called service while enough others are held: it waits on the first rung, uncounted. */
export function settleUncounted(attempt: number, reason: string, { ladder }: RetryPolicy): Settlement {
  return { state: 'retry', attempt, delayMs: ladder[0]!.delayMs, reason: storableText(reason).slice(0, REASON_LENGTH_MAX) };
}

/** Carries out a verdict on the message's `attempt`th attempt: the rung it waits on, or quarantine after the last one. */
export function settle(attempt: number, verdict: Exclude<Verdict, { kind: 'wait' }>, policy: RetryPolicy): Settlement {
  if (verdict.kind === 'done') return { state: 'done', attempt, delayMs: 0, reason: undefined };
  const reason = storableText(verdict.reason).slice(0, REASON_LENGTH_MAX);
  const step = retryStepOf(attempt, verdict, policy);
  if (step.to === 'dlq') return { state: 'dlq', attempt, delayMs: 0, reason };
  return { state: 'retry', attempt: attempt + 1, delayMs: step.rung.delayMs, reason };
}

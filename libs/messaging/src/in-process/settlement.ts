import type { RetryPolicy, Verdict } from '../broker.js';
import { storableText } from './storable-text.js';

/** What is to become of one stored message: `done` deletes it, the others say where it goes and from when it may be taken. */
export interface Settlement {
  readonly state: 'done' | 'retry' | 'dlq';
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string | undefined;
}

const REASON_LENGTH_MAX = 512;

/** Carries out a verdict on the message's `attempt`th attempt: the rung it waits on, or quarantine after the last one. */
export function settle(attempt: number, verdict: Verdict, policy: RetryPolicy): Settlement {
  if (verdict.kind === 'done') return { state: 'done', attempt, delayMs: 0, reason: undefined };
  const reason = storableText(verdict.reason).slice(0, REASON_LENGTH_MAX);
  if (verdict.kind === 'quarantine') return { state: 'dlq', attempt, delayMs: 0, reason };
  if (attempt >= policy.attemptsMax) return { state: 'dlq', attempt, delayMs: 0, reason };
  const rung = policy.ladder[Math.min(attempt, policy.ladder.length) - 1]!;
  return { state: 'retry', attempt: attempt + 1, delayMs: rung.delayMs, reason };
}

import type { RetryPolicy, RetryRung, Verdict } from './broker.js';

/** Where a message goes that is not done: on a rung of the retry ladder, or into the dead-letter queue. */
export type RetryStep = { readonly to: 'rung'; readonly rung: RetryRung } | { readonly to: 'dlq' };

/** How many rungs a message has whose delay would let a thief play on. */
const URGENT_RUNGS = 2;

/** What becomes of a message after its `attempt`th attempt. The last rung is used again and again until the attempts are used up. */
export function retryStepOf(attempt: number, verdict: Extract<Verdict, { kind: 'retry' | 'quarantine' }>, policy: RetryPolicy): RetryStep {
  const urgent = verdict.kind === 'retry' && verdict.urgent === true;
  const attemptsMax = urgent ? (policy.urgentAttemptsMax ?? policy.attemptsMax) : policy.attemptsMax;
  if (verdict.kind === 'quarantine' || attempt >= attemptsMax) return { to: 'dlq' };
  const rungs = urgent ? policy.ladder.slice(0, URGENT_RUNGS) : policy.ladder;
  return { to: 'rung', rung: rungs[Math.min(attempt, rungs.length) - 1]! };
}

import { describe, expect, it } from '@jest/globals';
import { ATTEMPTS_MAX, retryLadder, URGENT_ATTEMPTS_MAX } from './broker.js';
import { retryStepOf } from './retry-step.js';

const policy = { ladder: retryLadder, attemptsMax: ATTEMPTS_MAX, urgentAttemptsMax: URGENT_ATTEMPTS_MAX };
const rungs = (urgent: boolean, attempts: readonly number[]): string[] =>
  attempts.map((attempt) => {
    const step = retryStepOf(attempt, { kind: 'retry', reason: 'x', ...(urgent && { urgent }) }, policy);
    return step.to === 'dlq' ? 'dlq' : step.rung.name;
  });

describe('retryStepOf', () => {
  it('climbs the ladder, stays on its last rung, and ends in the dead-letter queue', () => {
    expect(rungs(false, [1, 2, 3, 4, 5, 19, 20])).toEqual(['5s', '30s', '5m', '30m', '30m', '30m', 'dlq']);
  });

  it('has an urgent message wait 30 s at most, for as many hours as any other', () => {
    expect(rungs(true, [1, 2, 3, 20, URGENT_ATTEMPTS_MAX - 1, URGENT_ATTEMPTS_MAX])).toEqual(['5s', '30s', '30s', '30s', '30s', 'dlq']);
    const hours = (URGENT_ATTEMPTS_MAX * 30) / 3_600;
    expect(hours).toBeGreaterThan(7.5);
  });

  it('quarantines at once what is to be quarantined', () => {
    expect(retryStepOf(1, { kind: 'quarantine', reason: 'x' }, policy)).toEqual({ to: 'dlq' });
  });
});

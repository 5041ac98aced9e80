import { describe, expect, it } from '@jest/globals';
import { done } from '../broker.js';
import { settle } from './settlement.js';

const policy = {
  ladder: [
    { name: 'short', delayMs: 10 },
    { name: 'long', delayMs: 200 },
  ],
  attemptsMax: 4,
};
const retry = { kind: 'retry', reason: 'not yet' } as const;

describe('settle', () => {
  it.each([
    { attempt: 1, delayMs: 10 },
    { attempt: 2, delayMs: 200 },
    { attempt: 3, delayMs: 200 },
  ])('given a retry on attempt $attempt, then it waits $delayMs ms for the next', ({ attempt, delayMs }) => {
    expect(settle(attempt, retry, policy)).toEqual({ state: 'retry', attempt: attempt + 1, delayMs, reason: 'not yet' });
  });

  it('given a retry on the last attempt, then it goes to quarantine with its reason', () => {
    expect(settle(4, retry, policy)).toEqual({ state: 'dlq', attempt: 4, delayMs: 0, reason: 'not yet' });
  });

  it('given a quarantine verdict, then the attempt does not matter', () => {
    expect(settle(1, { kind: 'quarantine', reason: 'poison' }, policy)).toEqual({ state: 'dlq', attempt: 1, delayMs: 0, reason: 'poison' });
  });

  it('given done, then it is let go', () => {
    expect(settle(3, done, policy).state).toBe('done');
  });

  it('given a reason that PostgreSQL would refuse or that is endless, then it is made storable', () => {
    expect(settle(1, { kind: 'quarantine', reason: `a\0b${'c'.repeat(2_000)}` }, policy).reason).toBe(`ab${'c'.repeat(510)}`);
  });
});

import { describe, expect, it } from '@jest/globals';
import { judgeAttempt } from './attempt-verdict.js';
import type { AttemptOutcome } from './post-webhook.js';
import { ATTEMPTS_MAX } from './retry-schedule.js';

const answered = (status: number, retryAfterSeconds?: number) => ({ kind: 'answered', status, retryAfterSeconds }) as const satisfies AttemptOutcome;

describe('an attempt', () => {
  it.each([200, 201, 202, 204, 299])('was taken with %d', (status) => {
    expect(judgeAttempt(answered(status), 1, 0)).toEqual({ state: 'delivered', status, failure: undefined, waitSeconds: undefined, disables: false });
  });

  it.each([
    [301, 'redirect'], [307, 'redirect'], [308, 'redirect'], [304, 'redirect'], [400, 'answer'], [401, 'answer'], [404, 'answer'], [429, 'answer'], [500, 'answer'], [503, 'answer'], [199, 'answer'],
  ])('is made again after %d', (status, failure) => {
    expect(judgeAttempt(answered(status), 2, 0)).toEqual({ state: 'pending', status, failure, waitSeconds: 30, disables: false });
  });

  it('is made again after no answer at all', () => {
    for (const failure of ['timeout', 'connection', 'name-unknown', 'tls', 'address-refused'] as const) {
      expect(judgeAttempt({ kind: 'unanswered', failure }, 1, 0)).toEqual({ state: 'pending', status: undefined, failure, waitSeconds: 5, disables: false });
    }
  });

  it('is made again when the receiver says', () => {
    expect(judgeAttempt(answered(503, 600), 1, 0).waitSeconds).toBe(600);
  });

  it('is the last when its receiver is gone', () => {
    expect(judgeAttempt(answered(410, 5), 1, 0)).toEqual({ state: 'failed', status: 410, failure: 'gone', waitSeconds: undefined, disables: true });
  });

  it('is the last when there were enough', () => {
    expect(judgeAttempt(answered(500), ATTEMPTS_MAX - 1, 0).state).toBe('pending');
    expect(judgeAttempt(answered(500), ATTEMPTS_MAX, 0)).toEqual({ state: 'failed', status: 500, failure: 'answer', waitSeconds: undefined, disables: false });
    expect(judgeAttempt(answered(200), ATTEMPTS_MAX, 0).state).toBe('delivered');
  });
});

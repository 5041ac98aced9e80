import { describe, expect, it } from '@jest/globals';
import { ATTEMPTS_MAX, readRetryAfter, WAIT_SECONDS_MAX, waitMsBefore } from './retry.js';

describe('waiting for another attempt', () => {
  it('takes longer each time, and ends', () => {
    expect([1, 2].map((attempt) => waitMsBefore(attempt, undefined, 0))).toEqual([300, 600]);
    expect(waitMsBefore(ATTEMPTS_MAX, undefined, 0)).toBeUndefined();
  });

  it('takes as long as the server asks for, and is left to the app where that is too long', () => {
    expect(waitMsBefore(1, 2, 0)).toBe(2_000);
    expect(waitMsBefore(1, WAIT_SECONDS_MAX, 0)).toBe(10_000);
    expect(waitMsBefore(1, WAIT_SECONDS_MAX + 1, 0)).toBeUndefined();
    expect(waitMsBefore(1, 0, 0)).toBe(300);
  });

  it('is not the same for all', () => {
    expect(waitMsBefore(1, 2, 0.5)).toBe(2_500);
  });

  it.each([
    ['3', 3],
    ['0', 0],
    [null, undefined],
    ['', undefined],
    ['-1', undefined],
    ['Mon, 23 Nov 2026 12:00:00 GMT', undefined],
  ])('reads Retry-After %j as %j', (header, seconds) => {
    expect(readRetryAfter(header)).toBe(seconds);
  });
});

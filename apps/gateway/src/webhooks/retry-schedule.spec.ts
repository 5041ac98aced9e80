import { describe, expect, it } from '@jest/globals';
import { ATTEMPTS_MAX, readRetryAfter, waitSecondsAfter } from './retry-schedule.js';

const waits = (random: number): number[] => Array.from({ length: ATTEMPTS_MAX - 1 }, (_, n) => waitSecondsAfter(n + 1, undefined, random)!);
const sum = (seconds: readonly number[]): number => seconds.reduce((total, each) => total + each, 0);

describe('the waits between attempts', () => {
  it('grow, from seconds to hours, and end after two to three days', () => {
    expect(ATTEMPTS_MAX).toBe(10);
    expect(waits(0).slice(0, 3)).toEqual([5, 30, 300]);
    for (const [index, wait] of waits(0).entries()) expect(wait).toBeGreaterThan(waits(1)[index - 1] ?? 0);
    expect(sum(waits(0)) / 86_400).toBeCloseTo(2, 1);
    expect(sum(waits(1)) / 86_400).toBeLessThan(3);
    expect(waitSecondsAfter(ATTEMPTS_MAX, 60, 0)).toBeUndefined();
  });

  it('are spread', () => {
    expect(waitSecondsAfter(1, undefined, 0.5)).toBeCloseTo(5.5);
    expect(waitSecondsAfter(1, undefined, 1)).toBeCloseTo(6);
  });

  it('are made longer by the receiver, within a day, and never shorter', () => {
    expect(waitSecondsAfter(1, 120, 0)).toBe(120);
    expect(waitSecondsAfter(1, 120, 1)).toBe(144);
    expect(waitSecondsAfter(4, 120, 0)).toBe(1_800);
    expect(waitSecondsAfter(1, 999_999_999, 0)).toBe(86_400);
  });
});

describe('Retry-After', () => {
  const nowMs = Date.parse('2026-11-24T12:00:00Z');

  it.each([
    ['0', 0],
    ['120', 120],
    ['Tue, 24 Nov 2026 12:01:30 GMT', 90],
    ['Tue, 24 Nov 2026 11:00:00 GMT', 0],
    [undefined, undefined],
    ['', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['1e3', undefined],
    ['9'.repeat(400), undefined],
    ['soon', undefined],
    ['Xyz, never', undefined],
    ['2026', 2026],
    ['2026-11-24T12:01:30Z', undefined],
  ])('%j means %s seconds', (header, seconds) => {
    expect(readRetryAfter(header, nowMs)).toBe(seconds);
  });
});

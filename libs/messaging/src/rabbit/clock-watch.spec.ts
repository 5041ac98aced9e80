import { beforeEach, describe, expect, it } from '@jest/globals';
import { ClockWatch } from './clock-watch.js';

describe('ClockWatch', () => {
  const nowMs = 1_000_000;
  let reports: number[];
  let watch: ClockWatch;
  const note = (sentMs: number, atMs = nowMs): void => watch.note({ sentMs, deadlineMs: sentMs + 5_000 }, atMs);

  beforeEach(() => {
    reports = [];
    watch = new ClockWatch((seconds) => reports.push(seconds));
  });

  it.each([
    ['a request that came at once', 0],
    ['one that waited in the queue for almost all of its time', -4_900],
    ['one from a clock that is a little ahead', 1_900],
  ])('finds nothing in %s', (_what, offsetMs) => {
    note(nowMs + offsetMs);
    expect(reports).toEqual([]);
  });

  it('reports a caller whose clock is behind, and one whose clock is ahead', () => {
    note(nowMs - 7_000);
    note(nowMs + 60_000 + 9_000, nowMs + 60_000);
    expect(reports).toEqual([7, -9]);
  });

  it('reports once a minute, and nothing of a request without a time', () => {
    for (const afterMs of [0, 30_000, 59_999, 60_000]) note(nowMs + afterMs - 7_000, nowMs + afterMs);
    note(Number.NaN, nowMs + 200_000);
    expect(reports).toEqual([7, 7]);
  });
});

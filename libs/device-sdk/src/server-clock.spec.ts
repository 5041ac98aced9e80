import { describe, expect, it } from '@jest/globals';
import { ServerClock, skewMsOf } from './server-clock.js';

const NOON = Date.parse('2026-11-23T12:00:00Z');
const noon = 'Mon, 23 Nov 2026 12:00:00 GMT';

describe('the server’s clock', () => {
  it.each([
    ['is the same', NOON, NOON + 200, 0],
    ['differs by less than answers take', NOON - 4_000, NOON - 4_000, 0],
    ['is an hour ahead', NOON - 3_600_000, NOON - 3_600_000, 3_600_500],
    ['is an hour behind', NOON + 3_600_000, NOON + 3_602_000, -3_600_500],
  ])('%s', (_, sentMs, receivedMs, skewMs) => {
    expect(skewMsOf(noon, sentMs, receivedMs)).toBe(skewMs);
  });

  it.each([null, undefined, '', 'soon'])('is not known from %j', (date) => {
    expect(skewMsOf(date, 0, 0)).toBeUndefined();
  });

  it('is gone by as soon as it was heard, and says when it moved', () => {
    const clock = new ServerClock(() => NOON - 3_600_000);
    expect(clock.nowSeconds()).toBe(NOON / 1000 - 3600);
    expect(clock.learn(null, 0, 0)).toBe(false);
    expect(clock.learn(noon, clock.localMs(), clock.localMs())).toBe(true);
    expect(clock.nowSeconds()).toBe(NOON / 1000);
    expect(clock.learn(noon, clock.localMs(), clock.localMs() + 1_000)).toBe(false);
  });

  it('is ours again when ours was set right', () => {
    let now = NOON - 3_600_000;
    const clock = new ServerClock(() => now);
    clock.learn(noon, now, now);
    now = NOON;
    expect(clock.learn(noon, now, now)).toBe(true);
    expect(clock.nowSeconds()).toBe(NOON / 1000);
  });
});

import { describe, expect, it } from '@jest/globals';
import { ParkedDestinations } from './parked-destinations.js';

const revoked = { type: 'token.revoked.v1', copyFor: undefined };
const copy = { type: 'token.revoked.v1', copyFor: 'gateway' as const };

describe('ParkedDestinations', () => {
  it('knows the original of an event from its copies', () => {
    const parked = new ParkedDestinations();
    parked.park(copy, 0);
    expect(parked.release(revoked)).toBe(false);
    expect(parked.size).toBe(1);
    expect(parked.release(copy)).toBe(true);
    expect(parked.size).toBe(0);
  });

  it('probes at growing intervals of at most four seconds, and never at once', () => {
    const parked = new ParkedDestinations();
    const intervals: number[] = [];
    for (let nowMs = 0, n = 0; n < 6; n += 1) {
      parked.park(revoked, nowMs);
      expect(parked.due(nowMs)).toEqual([]);
      intervals.push(parked.nextProbeMs()! - nowMs);
      nowMs = parked.nextProbeMs()!;
      expect(parked.due(nowMs)).toHaveLength(1);
    }
    expect(intervals).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000]);
    expect(new ParkedDestinations().nextProbeMs()).toBeUndefined();
  });

  it('is reported when it is parked, then once a minute, and again after it was released', () => {
    const parked = new ParkedDestinations();
    expect([0, 500, 59_999, 60_000, 60_500].map((nowMs) => parked.park(revoked, nowMs))).toEqual([true, false, false, true, false]);
    parked.release(revoked);
    expect(parked.park(revoked, 61_000)).toBe(true);
  });
});

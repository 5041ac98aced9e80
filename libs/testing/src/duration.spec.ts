import { describe, expect, it } from '@jest/globals';
import { type Duration, secondsOf } from './duration.js';

describe('a duration', () => {
  it('is the sum of its parts, in whole seconds', () => {
    expect(secondsOf({ days: 1, hours: 2, minutes: 3, seconds: 4 })).toBe(93_784);
    expect(secondsOf({ hours: 0.5 })).toBe(1_800);
  });

  it.each<Duration>([{}, { hours: -1 }, { seconds: 0.2 }, { days: Number.NaN }, { days: Number.POSITIVE_INFINITY }])('is none where it does not lead forward: %j', (wrong) => {
    expect(() => secondsOf(wrong)).toThrow(RangeError);
  });
});

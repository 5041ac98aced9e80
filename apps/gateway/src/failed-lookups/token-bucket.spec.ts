import { describe, expect, it } from '@jest/globals';
import { type Bucket, take } from './token-bucket.js';

const rule = { capacity: 3, refillPerSecond: 0.5 };

/** Takes once at each of these moments; the waits that were asked for. */
function takeAt(...moments: number[]): (number | undefined)[] {
  let bucket: Bucket | undefined;
  return moments.map((nowMs) => {
    const taken = take(bucket, rule, nowMs);
    bucket = taken.bucket;
    return taken.retryAfterSeconds;
  });
}

describe('a bucket of forgiven failures', () => {
  it('forgives as many at once as it holds, then says how long to wait', () => {
    expect(takeAt(0, 0, 0, 0)).toEqual([undefined, undefined, undefined, 2]);
  });

  it('forgives one more after the time that it named', () => {
    expect(takeAt(0, 0, 0, 0, 1_999, 2_000, 2_000)).toEqual([undefined, undefined, undefined, 2, 1, undefined, 2]);
  });

  it('never holds more than its capacity', () => {
    expect(takeAt(0, 3_600_000, 3_600_000, 3_600_000, 3_600_000)).toEqual([undefined, undefined, undefined, undefined, 2]);
  });

  it('is not harmed by a clock that is set back', () => {
    expect(takeAt(10_000, 0, 0, 0)).toEqual([undefined, undefined, undefined, 2]);
  });

  it('never asks to wait for less than a second', () => {
    expect(take({ tokens: 0.9999, atMs: 0 }, { capacity: 1, refillPerSecond: 1000 }, 0).retryAfterSeconds).toBe(1);
  });
});

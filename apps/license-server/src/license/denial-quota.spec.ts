import { describe, expect, it } from '@jest/globals';
import { DenialQuota } from './denial-quota.js';

describe('DenialQuota', () => {
  it('gives each token so many a minute', () => {
    const quota = new DenialQuota(2, 10);
    expect([quota.take('t1', 0), quota.take('t1', 1), quota.take('t1', 59_999)]).toEqual([true, true, false]);
    expect(quota.take('t2', 2)).toBe(true);
    expect(quota.take('t1', 60_000)).toBe(true);
  });

  it('counts no more tokens than it has room for', () => {
    const quota = new DenialQuota(2, 1);
    expect([quota.take('t1', 0), quota.take('t2', 0), quota.take('t1', 0)]).toEqual([true, false, true]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { eventually } from './eventually.js';

describe('eventually', () => {
  it('returns what the assertion returns once it passes', async () => {
    let calls = 0;
    const assertion = () => {
      calls += 1;
      if (calls < 3) throw new Error('not yet');
      return calls;
    };
    expect(await eventually(assertion, { intervalMs: 1 })).toBe(3);
  });

  it('throws the last failure when the time is over', async () => {
    let calls = 0;
    const assertion = () => Promise.reject(new Error(`failure ${++calls}`));
    await expect(eventually(assertion, { timeoutMs: 20, intervalMs: 1 })).rejects.toThrow(/^failure \d+$/);
    expect(calls).toBeGreaterThan(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { isRefused, readConfidencePolicy } from './confidence-policy.js';

describe('the confidences that merchants refuse', () => {
  it('are each merchant’s own, and none where none is named', () => {
    const policy = readConfidencePolicy(' acme:unknown, acme:software,other:proof,')!;
    const asked = [['acme', 'unknown'], ['acme', 'software'], ['acme', 'hardware'], ['acme', 'proof'], ['other', 'proof'], ['other', 'unknown'], ['third', 'unknown']] as const;
    expect(asked.map(([merchantId, confidence]) => isRefused(policy, merchantId, confidence))).toEqual([true, true, false, false, true, false, false]);
    expect(readConfidencePolicy('')).toEqual(new Map());
  });

  it.each(['acme', 'acme:', ':unknown', 'acme:Unknown', 'Acme:unknown', 'acme:unknown:software', 'acme:L1'])('are not %j', (text) => {
    expect(readConfidencePolicy(text)).toBeUndefined();
  });
});

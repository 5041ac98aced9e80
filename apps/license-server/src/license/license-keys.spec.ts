import { license } from '@latchkey/contracts';
import { type ContentClaims, KeyRing } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { licenseOf, makeUpKeys, openKeys } from './license-keys.js';

const kids = ['00112233445566778899aabbccddeeff', 'ffeeddccbbaa99887766554433221100'];
const keys = [Buffer.alloc(16, 1), Buffer.alloc(16, 2)];
const ring = new KeyRing([{ id: 'k1', key: Buffer.alloc(32, 7) }]);
const claims = {
  merchant: 'm1',
  kids,
  keys: kids.map((kid, index) => ring.wrapContentKey({ merchantId: 'm1', kid, key: keys[index]! })),
} as unknown as ContentClaims;

describe('openKeys', () => {
  it('opens the keys asked for, in the order asked', () => {
    expect(openKeys(ring, claims, [kids[1]!, kids[0]!])).toEqual([
      { kid: kids[1], key: keys[1] },
      { kid: kids[0], key: keys[0] },
    ]);
  });

  it('opens nothing under a KEK that is not there, nor for another merchant', () => {
    expect(openKeys(new KeyRing([{ id: 'k2', key: Buffer.alloc(32, 7) }]), claims, kids)).toBeUndefined();
    expect(openKeys(ring, { ...claims, merchant: 'm2' }, kids)).toBeUndefined();
  });
});

describe('makeUpKeys', () => {
  it('makes up keys for the kids asked for, or a kid too', () => {
    expect(makeUpKeys(kids).map(({ kid }) => kid)).toEqual(kids);
    const [one, ...others] = makeUpKeys([]);
    expect(one?.kid).toMatch(/^[0-9a-f]{32}$/);
    expect(others).toEqual([]);
    expect(Buffer.from(one!.key)).not.toEqual(Buffer.from(makeUpKeys([])[0]!.key));
  });
});

describe('licenseOf', () => {
  it('is a Clear Key licence', () => {
    const made = licenseOf([{ kid: kids[0]!, key: keys[0]! }]);
    expect(made).toEqual({ keys: [{ kty: 'oct', kid: 'ABEiM0RVZneImaq7zN3u_w', k: 'AQEBAQEBAQEBAQEBAQEBAQ' }], type: 'temporary' });
    expect(license.parse(made)).toEqual(made);
  });
});

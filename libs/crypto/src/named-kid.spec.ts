import { describe, expect, it } from '@jest/globals';
import { fingerprintOfKek, kidOfName } from './named-kid.js';

describe('the kid of a string', () => {
  it('is that of the published example', () => {
    expect(kidOfName('kid1')).toBe('80ea8bc8a58f990ad1f76bc665b30bfa');
  });
});

describe('the fingerprint of a KEK', () => {
  it('is the same for the same KEK, another for another, and none of its bytes', () => {
    const kek = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex');
    expect(fingerprintOfKek(kek)).toMatch(/^sha256\.[0-9a-f]{32}$/);
    expect(fingerprintOfKek(Buffer.from(kek))).toBe(fingerprintOfKek(kek));
    expect(fingerprintOfKek(Buffer.alloc(16))).not.toBe(fingerprintOfKek(kek));
    expect(fingerprintOfKek(kek)).not.toContain(kek.toString('hex'));
  });
});

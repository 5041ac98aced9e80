import { describe, expect, it } from '@jest/globals';
import { withPlainKey, wrappedKeyOf } from './stored-key.js';

const kek = '000102030405060708090a0b0c0d0e0f';
const k = 'a9b9033df0b9ca5447839e3d074817a0';
const ek = '5dbd06c0056b42fe0b8cf406679620c31bd619732730433d';
const values = (given: Record<string, string>) => new Map(Object.entries(given));
const fingerprint = /^sha256\.[0-9a-f]{32}$/;

describe('what is stored of a key', () => {
  it.each([
    ['is wrapped as the published example', { kek, k }, { ek, kekId: expect.stringMatching(fingerprint) }],
    ['is called as its merchant calls the KEK', { kek, k, kekId: 'mine' }, { ek, kekId: 'mine' }],
    ['is what came wrapped', { ek: ek.toUpperCase(), kekId: 'mine' }, { ek, kekId: 'mine' }],
    ['has no name of a KEK that nobody said', { ek }, { ek, kekId: '' }],
    ['is checked where the KEK came too', { ek, kek }, { ek, kekId: expect.stringMatching(fingerprint) }],
    ['is not what another KEK wrapped', { ek, kek: '0'.repeat(32) }, { code: -4024 }],
    ['needs a KEK', { k }, { code: -4023 }],
  ])('%s', (_, given, expected) => {
    expect(wrappedKeyOf(values(given))).toEqual(expected);
  });

  it('is new where none came', () => {
    const [one, other] = [wrappedKeyOf(values({ kek })), wrappedKeyOf(values({ kek }))];
    expect(one).toMatchObject({ ek: expect.stringMatching(/^[0-9a-f]{48}$/) });
    expect(one).not.toEqual(other);
  });
});

describe('what is shown of a stored key', () => {
  const stored = { kid: k, ek, kekId: 'mine' };
  it.each([
    ['has no key in the clear without its KEK', {}, stored],
    ['has it with its KEK', { kek }, { ...stored, k }],
    ['is refused with another KEK', { kek: '0'.repeat(32) }, { code: -4024 }],
  ])('%s', (_, given, expected) => {
    expect(withPlainKey(stored, values(given))).toEqual(expected);
  });
});

import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import type { StoredApiKey } from '../src/api-keys/api-key-store.js';

const SEED = 20_261_123;

// Watched before anything imports it: what was imported earlier would hold on to the functions as they were.
const nodeCrypto = process.getBuiltinModule('node:crypto');
const compared = jest.spyOn(nodeCrypto, 'timingSafeEqual');
const hashed = jest.spyOn(nodeCrypto, 'createHash');
const { authenticate, generateApiKey, hashApiKeySecret, parseApiKey, readBearer } = await import('./key-functions.js');

const key = generateApiKey('test', 'abcd1234');
const stored: StoredApiKey = {
  keyId: 'abcd1234',
  merchantId: 'acme',
  env: 'test',
  hash: hashApiKeySecret(key),
  scopes: ['cookies'],
  createdAt: new Date(0),
  expiresAt: null,
  revokedAt: null,
  live: true,
};

describe('the work of telling a right key from a wrong one', () => {
  beforeEach(() => {
    jest.clearAllMocks();
  });

  it.each([
    ['a right key', key, stored],
    ['another secret', generateApiKey('test', 'abcd1234'), stored],
    ['a secret that differs in its last character', key.slice(0, -1) + (key.endsWith('A') ? 'B' : 'A'), stored],
    ['a key id that nobody has', key, undefined],
    ['a key that was revoked', key, { ...stored, live: false }],
  ])('is one digest, compared whole and in constant time: %s', (_, presented, present) => {
    authenticate(presented, present);
    expect(hashed.mock.calls).toEqual([['sha256']]);
    expect(compared.mock.calls.map((digests) => digests.map(({ byteLength }) => byteLength))).toEqual([[32, 32]]);
  });
});

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** A second reading of a key, by hand: `lk`, lower-case letters, 4 to 32 letters and digits, and 43 of base64url, which may hold `_`. */
function readAgain(text: string): { env: string; keyId: string; secret: string } | undefined {
  const [lk, env = '', keyId = '', ...rest] = text.split('_');
  const secret = rest.join('_');
  const madeOf = (part: string, characters: string): boolean => part !== '' && [...part].every((character) => characters.includes(character));
  const well = lk === 'lk' && madeOf(env, 'abcdefghijklmnopqrstuvwxyz') && madeOf(keyId, alphabet) && keyId.length >= 4 && keyId.length <= 32;
  return well && secret.length === 43 && madeOf(secret, `${alphabet}_-`) ? { env, keyId, secret } : undefined;
}

const nearlyKey = fc
  .tuple(
    fc.constantFrom('lk', 'lk', 'lk', 'LK', ''),
    fc.oneof({ arbitrary: fc.constantFrom('live', 'test'), weight: 4 }, fc.constantFrom('Live', ''), fc.string({ maxLength: 5 })),
    fc.oneof({ arbitrary: fc.constantFrom('abcd1234', 'a'.repeat(32)), weight: 4 }, fc.constantFrom('abc', 'a'.repeat(33), 'ab-cd'), fc.string({ maxLength: 8 })),
    fc.oneof(fc.constantFrom('A'.repeat(43), '_'.repeat(43), '-'.repeat(43), 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}\n`), fc.base64String({ minLength: 43, maxLength: 44 })),
  )
  .map((parts) => parts.join('_'));
const anything = fc.oneof(nearlyKey, fc.string({ unit: 'binary', maxLength: 80 }));

describe(`what anybody may present (seed ${SEED})`, () => {
  it('is a key exactly where a second reading says so', () => {
    let keys = 0;
    fc.assert(
      fc.property(anything, (text) => {
        expect(parseApiKey(text)).toEqual(readAgain(text));
        if (readAgain(text)) keys += 1;
      }),
      { seed: SEED, numRuns: 2_000 },
    );
    expect(keys).toBeGreaterThan(20);
  });

  it('makes nobody a caller but who presents the very key', () => {
    fc.assert(
      fc.property(fc.oneof(anything, fc.constantFrom(key, ` ${key}`, key.toLowerCase(), `${key}\0`)), fc.boolean(), (text, live) => {
        expect(authenticate(text, { ...stored, live }) !== undefined).toBe(text === key && live);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });

  it('is taken out of one header with the scheme Bearer, and out of nothing else', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(anything, fc.tuple(fc.constantFrom('Bearer ', 'bearer  ', 'Bearer', 'DPoP ', ' Bearer '), anything).map((parts) => parts.join(''))), { maxLength: 2 }), (headers) => {
        const [only = '', ...more] = headers;
        const [scheme = '', ...words] = only.split(' ').filter((word, place) => word !== '' || place === 0);
        const found = more.length === 0 && scheme.toLowerCase() === 'bearer' && words.length === 1 && !/\s/.test(words[0]!) && !only.endsWith(' ') ? words[0] : undefined;
        expect(readBearer(headers)).toBe(found);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});

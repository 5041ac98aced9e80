import { webcrypto } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { generateApiKey, parseApiKey } from '../src/api-key.js';
import { importEcPublicJwk } from '../src/ec-public-jwk.js';
import { generateEcKeyPair } from '../src/ec-key-pair.js';
import { KeyRing, parseKeyRing } from '../src/key-ring.js';
import { createNonces } from '../src/nonce.js';
import { b64, bytes32, P256_PRIME } from './forge.js';
import { holds, holdsLater, mutationsOf } from './holds.js';
import { KID_1, wrappedKey } from './sample-claims.js';

const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;
const publicJwks = Array.from({ length: 8 }, () => generateEcKeyPair().publicJwk);
const aJwk = fc.constantFrom(...publicJwks);

/** The curve's equation by hand, over coordinates that are spelled in the one way. */
function isPoint(jwk: unknown): boolean {
  if (typeof jwk !== 'object' || jwk === null || JSON.stringify(Object.keys(jwk).sort()) !== '["crv","kty","x","y"]') return false;
  const { kty, crv, x, y } = jwk as Record<string, unknown>;
  const numbers = [x, y].map((text) => (typeof text === 'string' && /^[\w-]{42}[AEIMQUYcgkosw048]$/.test(text) ? BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`) : P256_PRIME));
  const [px = P256_PRIME, py = P256_PRIME] = numbers;
  return kty === 'EC' && crv === 'P-256' && px < P256_PRIME && py < P256_PRIME && (py * py - px ** 3n + 3n * px - B) % P256_PRIME === 0n;
}

const coordinate = fc.oneof(
  fc.bigInt({ min: 0n, max: 2n ** 256n - 1n }).map((value) => b64(bytes32(value))),
  fc.uint8Array({ minLength: 30, maxLength: 34 }).map(b64),
  aJwk.chain(({ x }) => mutationsOf(x)),
  fc.constantFrom('', 'AA', b64(bytes32(0n)), b64(bytes32(P256_PRIME))),
  fc.jsonValue(),
);
const strangeJwk = fc.oneof(
  aJwk,
  fc.tuple(aJwk, fc.constantFrom('x', 'y', 'kty', 'crv', 'd', 'kid'), coordinate).map(([jwk, name, value]) => ({ ...jwk, [name]: value })),
  fc.tuple(aJwk, aJwk).map(([one, other]) => ({ ...one, y: other.y })),
  fc.tuple(aJwk, fc.constantFrom('x' as const, 'y' as const)).map(([jwk, name]) => ({ ...jwk, [name]: b64(Buffer.concat([Buffer.alloc(1), Buffer.from(jwk[name], 'base64url')])) })),
  aJwk.map((jwk) => ({ ...jwk, y: b64(bytes32(P256_PRIME - BigInt(`0x${Buffer.from(jwk.y, 'base64url').toString('hex')}`))) })),
  fc.tuple(aJwk, fc.constantFrom('x', 'y', 'kty', 'crv')).map(([jwk, left]) => Object.fromEntries(Object.entries(jwk).filter(([name]) => name !== left))),
  fc.jsonValue(),
);

describe('a JWK', () => {
  it('is taken where it is a point in its one spelling, and nowhere else', async () => {
    await holdsLater(
      fc.asyncProperty(strangeJwk, async (jwk) => {
        const imported = importEcPublicJwk(jwk);
        expect(imported !== undefined).toBe(isPoint(jwk));
        if (!imported) return;
        expect(imported.thumbprint).toBe(await calculateJwkThumbprint(imported.jwk));
        await webcrypto.subtle.importKey('jwk', imported.jwk, { name: 'ECDSA', namedCurve: 'P-256' }, true, ['verify']);
      }),
      1_000,
    );
  });
});

describe('an API key', () => {
  it('is taken apart where its four parts are, put together, what was given', () => {
    const good = generateApiKey('live');
    const texts = fc.oneof(fc.constant(good), mutationsOf(good), fc.string(), fc.tuple(fc.constantFrom('test', 'a', 'A', ''), fc.integer({ min: 3, max: 34 }).map((length) => 'aZ9'.repeat(12).slice(0, length))).map(([env, id]) => `lk_${env}_${id}_${'-_'.repeat(21)}A`));
    holds(
      fc.property(texts, (text) => {
        const [prefix, env = '', keyId = '', ...rest] = text.split('_');
        const secret = rest.join('_');
        const isKey = prefix === 'lk' && env !== '' && !/[^a-z]/.test(env) && keyId.length >= 4 && keyId.length <= 32 && !/[^A-Za-z0-9]/.test(keyId) && secret.length === 43 && !/[^\w-]/.test(secret);
        expect(parseApiKey(text)).toEqual(isKey ? { env, keyId, secret } : undefined);
      }),
      1_500,
    );
  });
});

describe('the KEK setting', () => {
  const key = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64'));
  const entry = fc.oneof(key, fc.tuple(fc.constantFrom('k1', 'k2', 'a-b', 'K', '', 'elevenchars', ' k3 '), key).map((parts) => parts.join(':')), fc.string());
  const setting = fc.array(entry, { minLength: 1, maxLength: 3 }).map((entries) => entries.join(','));

  it('is a ring where every entry is one, and never repeats what was given', () => {
    holds(
      fc.property(fc.oneof(setting, setting.chain(mutationsOf)), (text) => {
        const entries = text.split(',').map((each) => /^\s*(?:([a-z0-9-]{1,10})\s*:)?\s*[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=\s*$/.exec(each));
        const ids = entries.map((match) => match && (match[1] ?? 'k1'));
        const parsed = parseKeyRing(text);
        expect(parsed.ok).toBe(!ids.includes(null) && new Set(ids).size === ids.length);
        if (parsed.ok) expect(parsed.ring.primaryId).toBe(ids[0]);
        else for (const problem of parsed.problems) expect(problem).toMatch(/^entry \d+: its (?:id is not 1 to 10 characters of a-z, 0-9 and -|id was used by an earlier entry|key is not base64|key has \d+ bytes instead of 32)$/);
      }),
      1_500,
    );
  });
});

describe('a wrapped content key', () => {
  const ring = new KeyRing([{ id: 'k1', key: Buffer.alloc(32, 1) }]);

  it('is opened where it is exactly what was wrapped, and nowhere else', () => {
    const wrapped = wrappedKey(KID_1);
    holds(
      fc.property(fc.oneof(fc.constant(wrapped), mutationsOf(wrapped), fc.string()), fc.constantFrom('m1', 'm2', ''), fc.constantFrom(KID_1, '0'.repeat(32)), (text, merchantId, kid) => {
        const opened = ring.unwrapContentKey({ merchantId, kid, wrapped: text });
        expect(opened !== undefined).toBe(text === wrapped && merchantId === 'm1' && kid === KID_1);
      }),
      1_200,
    );
  });
});

describe('a nonce', () => {
  const NOW = 1_800_000_000;
  const nonces = createNonces({ secrets: [Buffer.alloc(32, 3)] });
  const issued = new Set(Array.from({ length: 305 }, (_, index) => nonces.issue(NOW - 299 + index)));

  it('is fresh where it is one of those that were made in the last five minutes', () => {
    const texts = fc.oneof(fc.integer({ min: NOW - 330, max: NOW + 30 }).map((second) => nonces.issue(second)), mutationsOf(nonces.issue(NOW)), fc.uint8Array({ minLength: 20, maxLength: 24 }).map(b64), fc.string());
    holds(
      fc.property(texts, (text) => expect(nonces.isFresh(text, NOW)).toBe(issued.has(text))),
      1_200,
    );
  });
});

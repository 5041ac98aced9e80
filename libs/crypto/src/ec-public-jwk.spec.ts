import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint } from 'jose';
import { b64, bytes32, P256_PRIME, pointWithSmallX } from '../test/forge.js';
import {
  RFC7515_A3_JWK,
  RFC7638_RSA_MEMBERS,
  RFC7638_THUMBPRINT,
  RFC9449_JWK,
  RFC9449_THUMBPRINT,
} from '../test/published-vectors.js';
import { generateEcKeyPair } from './ec-key-pair.js';
import { importEcPublicJwk, publicKeyOf, readEcPublicJwk, thumbprint, thumbprintOfMembers } from './ec-public-jwk.js';

const { x, y } = RFC9449_JWK;
const small = pointWithSmallX();
const smallJwk = { kty: 'EC', crv: 'P-256', x: b64(bytes32(small.x)), y: b64(bytes32(small.y)) };

/** A key whose x begins with a zero byte: one in 256. */
function jwkWithLeadingZero(): { kty: 'EC'; crv: 'P-256'; x: string; y: string } {
  for (;;) {
    const { publicJwk } = generateEcKeyPair();
    if (Buffer.from(publicJwk.x, 'base64url')[0] === 0) return publicJwk;
  }
}

describe('thumbprint', () => {
  it('is that of RFC 7638 §3.1', () => {
    expect(thumbprintOfMembers(RFC7638_RSA_MEMBERS)).toBe(RFC7638_THUMBPRINT);
  });

  it('is that of RFC 9449 figure 9', () => {
    expect(thumbprint(RFC9449_JWK)).toBe(RFC9449_THUMBPRINT);
  });

  it('is what jose computes, whatever the order of members', async () => {
    const { publicJwk } = generateEcKeyPair();
    const reordered = { y: publicJwk.y, kty: publicJwk.kty, x: publicJwk.x, crv: publicJwk.crv };
    expect(thumbprint(reordered)).toBe(await calculateJwkThumbprint(publicJwk));
  });
});

describe('readEcPublicJwk', () => {
  it('takes the published keys', () => {
    expect(readEcPublicJwk(RFC9449_JWK)).toEqual(RFC9449_JWK);
    expect(readEcPublicJwk(RFC7515_A3_JWK)).toEqual(RFC7515_A3_JWK);
  });

  it('keeps the leading zeros of a coordinate, and refuses it without them', () => {
    const jwk = jwkWithLeadingZero();
    expect(readEcPublicJwk(jwk)).toEqual(jwk);
    expect(readEcPublicJwk({ ...jwk, x: b64(Buffer.from(jwk.x, 'base64url').subarray(1)) })).toBeUndefined();
  });

  it('takes a point with a small x, and refuses its second spelling x + p', () => {
    expect(readEcPublicJwk(smallJwk)).toEqual(smallJwk);
    expect(readEcPublicJwk({ ...smallJwk, x: b64(bytes32(small.x + P256_PRIME)) })).toBeUndefined();
  });

  it.each([
    ['an extra kid', { ...RFC9449_JWK, kid: 'k' }],
    ['an extra use', { ...RFC9449_JWK, use: 'sig' }],
    ['an extra alg', { ...RFC9449_JWK, alg: 'ES256' }],
    ['a private key', { ...RFC9449_JWK, d: x }],
    ['no y', { kty: 'EC', crv: 'P-256', x }],
    ['another kty', { ...RFC9449_JWK, kty: 'OKP' }],
    ['kty in lower case', { ...RFC9449_JWK, kty: 'ec' }],
    ['another curve', { ...RFC9449_JWK, crv: 'P-384' }],
    ['the other name of the curve', { ...RFC9449_JWK, crv: 'prime256v1' }],
    ['padding', { ...RFC9449_JWK, x: `${x}=` }],
    ['unused bits set', { ...RFC9449_JWK, x: `${x.slice(0, -1)}t` }],
    ['a byte too many', { ...RFC9449_JWK, x: b64(Buffer.concat([Buffer.alloc(1), Buffer.from(x, 'base64url')])) }],
    ['an empty coordinate', { ...RFC9449_JWK, x: '' }],
    ['a coordinate that is a number', { ...RFC9449_JWK, x: 1 }],
    ['a coordinate in an array', { ...RFC9449_JWK, x: [x] }],
    ['a point beside the curve', { ...RFC9449_JWK, x: y, y: x }],
    ['the point of zeros', { ...RFC9449_JWK, x: b64(Buffer.alloc(32)), y: b64(Buffer.alloc(32)) }],
    ['coordinates beyond the field', { ...RFC9449_JWK, x: b64(Buffer.alloc(32, 255)), y: b64(Buffer.alloc(32, 255)) }],
    ['an array', [RFC9449_JWK]],
    ['a text', JSON.stringify(RFC9449_JWK)],
    ['null', null],
    ['nothing', undefined],
  ])('refuses %s', (_, bad) => {
    expect(readEcPublicJwk({ ...RFC9449_JWK })).toEqual(RFC9449_JWK);
    expect(readEcPublicJwk(bad)).toBeUndefined();
  });
});

describe('publicKeyOf', () => {
  it('imports a key once', () => {
    const { publicJwk } = generateEcKeyPair();
    expect(publicKeyOf({ ...publicJwk })).toBe(publicKeyOf(publicJwk));
    expect(importEcPublicJwk(publicJwk)?.publicKey).toBe(publicKeyOf(publicJwk));
  });

  it('forgets the key that was not used for longest, and keeps one that was', () => {
    const used = generateEcKeyPair().publicJwk;
    const unused = generateEcKeyPair().publicJwk;
    const [usedKey, unusedKey] = [publicKeyOf(used), publicKeyOf(unused)];
    for (let count = 0; count < 8_192; count += 1) {
      publicKeyOf(generateEcKeyPair().publicJwk);
      if (count % 1_000 === 0) publicKeyOf(used);
    }
    expect(publicKeyOf(used)).toBe(usedKey);
    expect(publicKeyOf(unused)).not.toBe(unusedKey);
  });
});

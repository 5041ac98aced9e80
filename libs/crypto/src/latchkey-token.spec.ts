import { describe, expect, it } from '@jest/globals';
import { jwtVerify } from 'jose';
import { b64, forge, nonCanonical, partsOf } from '../test/forge.js';
import { CONTENT, JKT, manyKids, NOW, REGISTRATION, wrappedKey } from '../test/sample-claims.js';
import { publicKeyOf } from './ec-public-jwk.js';
import { checkTokenParties, checkTokenTimes, readToken, signToken, TOKEN_BYTES_MAX } from './latchkey-token.js';
import { generateSigningKey } from './signing-key.js';
import type { ContentClaims } from './token-claims.js';

const signer = generateSigningKey();
const publicKey = publicKeyOf(signer.publicJwk);
const good = signToken(signer, 'content', CONTENT);
const [headerPart, payloadPart, signaturePart] = partsOf(good);
const HEADER = `{"alg":"ES256","kid":"${signer.keyId}","typ":"latchkey-content+jwt"}`;

function withHeader(header: string): string {
  return forge(signer.privateKey, b64(header), payloadPart);
}
function withPayload(payload: string): string {
  return forge(signer.privateKey, headerPart, b64(payload));
}

/** The largest claims that the API lets through, with KEK ids of the given length. */
function largestClaims(kekId: string): ContentClaims {
  const longest = 'x'.repeat(128);
  const kids = manyKids(32);
  return {
    ...CONTENT,
    merchant: 'm'.repeat(64),
    cookie: 'c'.repeat(32),
    account: longest,
    purchase: longest,
    content: longest,
    kids,
    keys: kids.map((kid) => wrappedKey(kid, kekId)),
    rights: { type: 'rental', available_from: NOW, available_until: NOW + 1, play_duration: 172_800 },
  };
}

describe('signToken and readToken', () => {
  it('make and read a registration token', () => {
    for (const claims of [REGISTRATION, { ...REGISTRATION, cnf: { jkt: JKT } }]) {
      const token = readToken(signToken(signer, 'registration', claims));
      if (!token.ok) throw new Error(token.reason);
      expect(token).toMatchObject({ kind: 'registration', keyId: signer.keyId });
      expect(token.claims).toEqual(claims);
      expect(token.verify(publicKey)).toBe(true);
    }
  });

  it('make and read a content token', () => {
    const token = readToken(good);
    if (!token.ok) throw new Error(token.reason);
    expect(token).toMatchObject({ kind: 'content', keyId: signer.keyId });
    expect(token.claims).toEqual(CONTENT);
    expect(token.verify(publicKey)).toBe(true);
    expect(token.verify(publicKeyOf(generateSigningKey().publicJwk))).toBe(false);
  });

  it('make what jose verifies, with exactly the three header members', async () => {
    const { payload, protectedHeader } = await jwtVerify(good, publicKey, { currentDate: new Date(NOW * 1_000) });
    expect(protectedHeader).toEqual({ alg: 'ES256', kid: signer.keyId, typ: 'latchkey-content+jwt' });
    expect(payload).toEqual(CONTENT);
  });

  it('leave out what is undefined', () => {
    const rights = { type: 'purchase', available_from: undefined } as const;
    const token = readToken(signToken(signer, 'content', { ...CONTENT, purchase: undefined, rights }));
    if (!token.ok) throw new Error(token.reason);
    expect(Object.keys(token.claims)).not.toContain('purchase');
    expect(token.claims).toMatchObject({ rights: { type: 'purchase' } });
  });

  it('do not make what would not be read, and keep the values out of the message', () => {
    const unbound = { ...CONTENT, cnf: undefined };
    const refusal = new TypeError('a content token cannot be made: claim-binding');
    expect(() => signToken(signer, 'content', unbound)).toThrow(refusal);
    expect(() => signToken(signer, 'content', { ...CONTENT, cookie: 'not a cookie' })).toThrow(/claim-cookie$/);
  });

  it('fit the largest token that the API allows into 6 KiB, with the longest KEK id', () => {
    expect(signToken(signer, 'content', largestClaims('abcdefghij')).length).toBeLessThanOrEqual(TOKEN_BYTES_MAX);
  });

  it('do not make a token of more than 6 KiB', () => {
    expect(() => signToken(signer, 'content', { ...largestClaims('abcdefghij'), iss: 'i'.repeat(500) })).toThrow(RangeError);
  });

  it('read 6 KiB and no more', () => {
    const json = JSON.stringify(CONTENT);
    let [fits, tooLarge] = [good, good];
    for (let pad = 0; tooLarge.length <= TOKEN_BYTES_MAX; pad += 1) {
      [fits, tooLarge] = [tooLarge, withPayload(json + ' '.repeat(pad))];
    }
    expect(fits.length).toBeGreaterThan(TOKEN_BYTES_MAX - 3);
    expect(readToken(fits)).toMatchObject({ ok: true });
    expect(readToken(tooLarge)).toEqual({ ok: false, reason: 'token-too-large' });
  });

  it('refuse a token with any one character changed, by its form or by its signature', () => {
    for (let index = 0; index < good.length; index += 1) {
      const changed = good.slice(0, index) + (good[index] === 'A' ? 'B' : 'A') + good.slice(index + 1);
      const token = readToken(changed);
      expect(token.ok && token.verify(publicKey)).toBe(false);
    }
  });
});

describe('readToken refuses', () => {
  it.each([
    ['no text', '', 'token-not-jws'],
    ['two parts', `${headerPart}.${payloadPart}`, 'token-not-jws'],
    ['padding', `${good}==`, 'token-not-jws'],
    ['a non-canonical signature', `${headerPart}.${payloadPart}.${nonCanonical(signaturePart)}`, 'token-not-jws'],
    ['a duplicate header member', withHeader(HEADER.replace('{', '{"alg":"ES256",')), 'token-not-jws'],
    ['a duplicate claim', withPayload(JSON.stringify(CONTENT).replace('{', '{"jti":"x",')), 'token-not-jws'],
    ['no signature', `${headerPart}.${payloadPart}.`, 'token-not-jws'],
    ['an extra jwk', withHeader(HEADER.replace('{', `{"jwk":${JSON.stringify(signer.publicJwk)},`)), 'header-members'],
    ['an extra crit', withHeader(HEADER.replace('{', '{"crit":[],')), 'header-members'],
    ['no kid', withHeader('{"alg":"ES256","typ":"latchkey-content+jwt"}'), 'header-members'],
    ['alg none', withHeader(HEADER.replace('ES256', 'none')), 'alg'],
    ['alg HS256', withHeader(HEADER.replace('ES256', 'HS256')), 'alg'],
    ['another typ', withHeader(HEADER.replace('latchkey-content+jwt', 'JWT')), 'typ'],
    ['the typ of a proof', withHeader(HEADER.replace('latchkey-content+jwt', 'dpop+jwt')), 'typ'],
    ['the typ in capitals', withHeader(HEADER.replace('latchkey', 'LATCHKEY')), 'typ'],
    ['the typ of the other kind', withHeader(HEADER.replace('content', 'registration')), 'claim-members'],
    ['a kid that is a path', withHeader(HEADER.replace(signer.keyId, '../../etc/passwd')), 'kid'],
    ['a kid that is a number', withHeader(HEADER.replace(`"${signer.keyId}"`, '1')), 'kid'],
    ['a bad claim', withPayload(JSON.stringify({ ...CONTENT, exp: '1' })), 'claim-exp'],
    ['a proof', withHeader('{"typ":"dpop+jwt","alg":"ES256","jwk":{}}'), 'header-members'],
  ])('%s', (_, bad, reason) => {
    expect(readToken(good)).toMatchObject({ ok: true });
    expect(readToken(bad)).toEqual({ ok: false, reason });
  });
});

describe('checkTokenTimes', () => {
  it.each([
    ['at issue', NOW, { ok: true }],
    ['in its last second', NOW + 599.9, { ok: true }],
    ['at its end', NOW + 600, { ok: false, reason: 'expired' }],
    ['by a clock 60 s behind the issuer', NOW - 60, { ok: true }],
    ['by a clock further behind', NOW - 61, { ok: false, reason: 'iat-in-future' }],
  ])('%s', (_, nowSeconds, expected) => {
    expect(checkTokenTimes(CONTENT, nowSeconds)).toEqual(expected);
  });
});

describe('checkTokenParties', () => {
  it('wants issuer and audience exactly', () => {
    const { iss, aud } = CONTENT;
    expect(checkTokenParties(CONTENT, { iss, aud })).toEqual({ ok: true });
    expect(checkTokenParties(CONTENT, { iss: `${iss}/`, aud })).toEqual({ ok: false, reason: 'iss' });
    expect(checkTokenParties(CONTENT, { iss, aud: aud.toUpperCase() })).toEqual({ ok: false, reason: 'aud' });
  });
});

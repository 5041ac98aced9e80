import { describe, expect, it } from '@jest/globals';
import { compactVerify } from 'jose';
import { b64, forge, nonCanonical, partsOf } from '../test/forge.js';
import { RFC7515_A3_JWS } from '../test/published-vectors.js';
import { generateEcKeyPair } from './ec-key-pair.js';
import { publicKeyOf } from './ec-public-jwk.js';
import { parseCompactJws, signCompactJws } from './jws.js';

const { privateKey, publicJwk } = generateEcKeyPair();
const HEADER = '{"alg":"ES256"}';
const PAYLOAD = '{"a":"é"}';
const good = forge(privateKey, b64(HEADER), b64(PAYLOAD));
const [header, payload, signature] = partsOf(good);

function parse(text: string): unknown {
  return parseCompactJws(text, { maxBytes: 1_000 });
}

describe('parseCompactJws', () => {
  it('takes the JWS of RFC 7515 A.3 apart', () => {
    const [headerPart, payloadPart, signaturePart] = partsOf(RFC7515_A3_JWS);
    expect(parse(RFC7515_A3_JWS)).toEqual({
      ok: true,
      jws: {
        header: { alg: 'ES256' },
        payload: { iss: 'joe', exp: 1300819380, 'http://example.com/is_root': true },
        signature: Buffer.from(signaturePart, 'base64url'),
        signingInput: `${headerPart}.${payloadPart}`,
      },
    });
  });

  it('takes exactly as many bytes as allowed', () => {
    expect(parseCompactJws(good, { maxBytes: good.length })).toMatchObject({ ok: true });
    expect(parseCompactJws(good, { maxBytes: good.length - 1 })).toEqual({ ok: false, reason: 'too-large' });
  });

  it.each([
    ['no text', '', 'parts'],
    ['one part', header, 'parts'],
    ['two parts', `${header}.${payload}`, 'parts'],
    ['four parts', `${good}.`, 'parts'],
    ['the five parts of a JWE', `${good}.AA.AA`, 'parts'],
    ['an empty header', `.${payload}.${signature}`, 'json'],
    ['an empty payload', `${header}..${signature}`, 'json'],
    ['an empty signature', `${header}.${payload}.`, 'signature-length'],
    ['a short signature', `${header}.${payload}.${signature.slice(0, 84)}`, 'signature-length'],
    ['a padded signature', `${good}==`, 'base64url'],
    ['a space at the end', `${good} `, 'base64url'],
    ['a line feed in the middle', `${header}.\n${payload}.${signature}`, 'base64url'],
    ['a non-canonical signature', `${header}.${payload}.${nonCanonical(signature)}`, 'base64url'],
    ['a non-canonical payload', `${header}.${nonCanonical(b64('{"a":"e"} '))}.${signature}`, 'base64url'],
    ['a header that is no JSON', `${b64('alg')}.${payload}.${signature}`, 'json'],
    ['a header that is an array', `${b64('[]')}.${payload}.${signature}`, 'json'],
    ['a payload that is null', `${header}.${b64('null')}.${signature}`, 'json'],
    ['a payload in Latin-1', `${header}.${b64(Buffer.from(PAYLOAD, 'latin1'))}.${signature}`, 'json'],
    ['a payload nine deep', `${header}.${b64('{"a":'.repeat(9) + '1' + '}'.repeat(9))}.${signature}`, 'json'],
    ['JSON serialisation', JSON.stringify({ protected: header, payload, signature }), 'parts'],
  ])('refuses %s', (_, bad, reason) => {
    expect(parse(good)).toMatchObject({ ok: true });
    expect(parse(bad)).toEqual({ ok: false, reason });
  });
});

describe('signCompactJws', () => {
  it('makes what jose verifies', async () => {
    const jws = signCompactJws(privateKey, { alg: 'ES256', typ: 'x' }, { text: 'Größe 😀' });
    const verified = await compactVerify(jws, publicKeyOf(publicJwk));
    expect(verified.protectedHeader).toEqual({ alg: 'ES256', typ: 'x' });
    expect(JSON.parse(Buffer.from(verified.payload).toString('utf8'))).toEqual({ text: 'Größe 😀' });
  });
});

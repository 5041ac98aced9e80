import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { b64, bytes32, forge, nonCanonical, P256_ORDER, P256_PRIME, partsOf, pointWithSmallX } from '../test/forge.js';
import {
  RFC9449_JWK,
  RFC9449_RESOURCE_PROOF,
  RFC9449_THUMBPRINT,
  RFC9449_TOKEN_PROOF,
} from '../test/published-vectors.js';
import { checkProofForm, PROOF_BYTES_MAX } from './dpop-proof.js';
import { generateEcKeyPair } from './ec-key-pair.js';

const { privateKey, publicJwk, thumbprint } = generateEcKeyPair();
const { kty, crv, x, y } = publicJwk;
const JWK = `{"kty":"${kty}","crv":"${crv}","x":"${x}","y":"${y}"}`;
const HEADER = `{"typ":"dpop+jwt","alg":"ES256","jwk":${JWK}}`;
const ACCENTED = '{"jti":"é"}';
const CLAIMS = '{"htm":"POST","nonce":"n"}';
const good = forge(privateKey, b64(HEADER), b64(CLAIMS));
const [headerPart, payloadPart, signaturePart] = partsOf(good);
const signature = Buffer.from(signaturePart, 'base64url');
const signedText = `${headerPart}.${payloadPart}`;

function withHeader(header: string): string {
  return forge(privateKey, b64(header), b64(CLAIMS));
}
function withJwk(jwk: unknown): string {
  return withHeader(JSON.stringify({ typ: 'dpop+jwt', alg: 'ES256', jwk }));
}
function withPayload(payload: string | Uint8Array): string {
  return forge(privateKey, b64(HEADER), b64(payload));
}
function withSignature(bytes: Uint8Array): string {
  return `${headerPart}.${payloadPart}.${b64(bytes)}`;
}
/** A proof whose payload is filled up to the last byte that fits, and one byte on. */
function proofOfBytes(most: number, beyond: number): string {
  let proof = good;
  for (let pad = 0; ; pad += 1) {
    const next = withPayload(CLAIMS + ' '.repeat(pad));
    if (next.length > most) return beyond > 0 ? next : proof;
    proof = next;
  }
}

describe('checkProofForm', () => {
  it.each([
    ['figure 2', RFC9449_TOKEN_PROOF, '-BwC3ESc6acc2lTc'],
    ['figure 13', RFC9449_RESOURCE_PROOF, 'e1j3V_bKic8-LAEB'],
  ])('takes the proof of RFC 9449 %s', (_, text, jti) => {
    const form = checkProofForm(text);
    if (!form.ok) throw new Error(form.reason);
    expect(form.proof.jwk).toEqual(RFC9449_JWK);
    expect(form.proof.thumbprint).toBe(RFC9449_THUMBPRINT);
    expect(form.proof.claims['jti']).toBe(jti);
    expect(form.proof.claims.nonce).toBeUndefined();
  });

  it('gives the key, its thumbprint, the claims and the nonce', () => {
    expect(checkProofForm(good)).toEqual({
      ok: true,
      proof: { jwk: publicJwk, thumbprint, claims: { htm: 'POST', nonce: 'n' } },
    });
  });

  it('takes a nonce that is not a string for none', () => {
    const form = checkProofForm(withPayload('{"nonce":["n"]}'));
    expect(form.ok && form.proof.claims.nonce).toBeUndefined();
    expect(form.ok).toBe(true);
  });

  it('accepts either s of a signature', () => {
    const s = BigInt(`0x${signature.subarray(32).toString('hex')}`);
    const otherS = withSignature(Buffer.concat([signature.subarray(0, 32), bytes32(P256_ORDER - s)]));
    expect(otherS).not.toBe(good);
    expect(checkProofForm(otherS)).toMatchObject({ ok: true, proof: { thumbprint } });
  });

  it('accepts header and jwk members in any order, with white space', () => {
    const header = `{ "jwk": {"y":"${y}","x":"${x}","crv":"P-256","kty":"EC"}, "alg": "ES256", "typ": "dpop+jwt" }`;
    expect(checkProofForm(withHeader(header))).toMatchObject({ ok: true, proof: { thumbprint } });
  });

  it('accepts 4 KiB and no more', () => {
    expect(checkProofForm(proofOfBytes(PROOF_BYTES_MAX, 0))).toMatchObject({ ok: true });
    expect(checkProofForm(proofOfBytes(PROOF_BYTES_MAX, 1))).toEqual({ ok: false, reason: 'proof-too-large' });
  });

  it('refuses a proof with any one character changed', () => {
    for (let index = 0; index < good.length; index += 1) {
      const changed = good.slice(0, index) + (good[index] === 'A' ? 'B' : 'A') + good.slice(index + 1);
      expect(checkProofForm(changed).ok).toBe(false);
    }
  });
});

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const small = pointWithSmallX();
const smallJwk = { kty, crv, x: b64(bytes32(small.x)), y: b64(bytes32(small.y)) };
const dashed = proofWithDash();

/** Each differs in one thing from a proof that is accepted: `good`, unless another twin is given. */
const BAD_PROOFS: [name: string, bad: string, reason: string, twin?: string][] = [
  ['no text', '', 'proof-not-jws'],
  ['no signature part', `${headerPart}.${payloadPart}`, 'proof-not-jws'],
  ['a part too many', `${good}.`, 'proof-not-jws'],
  ['two proofs in one header', `${good}, ${good}`, 'proof-not-jws'],
  ['white space around', ` ${good}`, 'proof-not-jws'],
  ['padding', `${good}==`, 'proof-not-jws'],
  ['the alphabet of base64', dashed.replace('-', '+'), 'proof-not-jws', dashed],
  ['a non-canonical signature', `${headerPart}.${payloadPart}.${nonCanonical(signaturePart)}`, 'proof-not-jws'],
  [
    'a non-canonical payload, signed so',
    forge(privateKey, b64(HEADER), nonCanonical(b64('{"nonce":"n"}'))),
    'proof-not-jws',
    withPayload('{"nonce":"n"}'),
  ],
  ['a header that is no object', withHeader('["dpop+jwt"]'), 'proof-not-jws'],
  ['a payload that is no object', withPayload('"claims"'), 'proof-not-jws', withPayload('{}')],
  ['a byte order mark before the header', withHeader(`\ufeff${HEADER}`), 'proof-not-jws'],
  ['a byte order mark before the claims', withPayload(`\ufeff${CLAIMS}`), 'proof-not-jws'],
  ['claims in Latin-1', withPayload(Buffer.from(ACCENTED, 'latin1')), 'proof-not-jws', withPayload(ACCENTED)],
  ['claims nested too deep', withPayload(`{"a":${'['.repeat(8)}${']'.repeat(8)}}`), 'proof-not-jws'],
  ['a duplicate typ', withHeader(HEADER.replace('{', '{"typ":"dpop+jwt",')), 'proof-not-jws'],
  ['a duplicate typ, escaped', withHeader(HEADER.replace('{', '{"\\u0074yp":"dpop+jwt",')), 'proof-not-jws'],
  ['a duplicate x in the jwk', withHeader(HEADER.replace('"x":', `"x":"${x}","x":`)), 'proof-not-jws'],
  ['a duplicate claim', withPayload('{"htm":"GET","htm":"POST"}'), 'proof-not-jws', withPayload('{"htm":"POST"}')],
  ['an extra kid', withHeader(HEADER.replace('{', '{"kid":"k",')), 'header-members'],
  ['an extra crit', withHeader(HEADER.replace('{', '{"crit":["exp"],')), 'header-members'],
  ['an extra b64', withHeader(HEADER.replace('{', '{"b64":true,')), 'header-members'],
  ['an extra x5c', withHeader(HEADER.replace('{', '{"x5c":[],')), 'header-members'],
  ['an extra __proto__', withHeader(HEADER.replace('{', '{"__proto__":{},')), 'header-members'],
  ['no typ', withHeader(`{"alg":"ES256","jwk":${JWK}}`), 'header-members'],
  ['no alg', withHeader(`{"typ":"dpop+jwt","jwk":${JWK}}`), 'header-members'],
  ['no jwk', withHeader('{"typ":"dpop+jwt","alg":"ES256"}'), 'header-members'],
  ['typ in __proto__', withHeader(HEADER.replace(/"typ":"dpop.jwt"/, '"__proto__":{$&}')), 'header-members'],
  ['another typ', withHeader(HEADER.replace('dpop+jwt', 'JWT')), 'typ'],
  ['typ in other letters', withHeader(HEADER.replace('dpop+jwt', 'DPoP+JWT')), 'typ'],
  ['typ as a media type', withHeader(HEADER.replace('dpop+jwt', 'application/dpop+jwt')), 'typ'],
  ['typ in an array', withHeader(HEADER.replace('"dpop+jwt"', '["dpop+jwt"]')), 'typ'],
  ['alg none', withHeader(HEADER.replace('ES256', 'none')), 'alg'],
  ['alg none without signature', `${b64(HEADER.replace('ES256', 'none'))}.${payloadPart}.`, 'signature'],
  ['alg in other letters', withHeader(HEADER.replace('ES256', 'es256')), 'alg'],
  ['alg ES384', withHeader(HEADER.replace('ES256', 'ES384')), 'alg'],
  ['alg ES256K', withHeader(HEADER.replace('ES256', 'ES256K')), 'alg'],
  ['alg EdDSA', withHeader(HEADER.replace('ES256', 'EdDSA')), 'alg'],
  ['alg RS256 with an RSA key', rsaProof(), 'signature'],
  ['alg HS256, keyed with the public key', hmacProof(), 'signature'],
  ['a jwk with kid', withJwk({ kty, crv, x, y, kid: 'k' }), 'jwk-form'],
  ['a jwk with use', withJwk({ kty, crv, x, y, use: 'sig' }), 'jwk-form'],
  ['a private jwk', withJwk(privateKey.export({ format: 'jwk' })), 'jwk-form'],
  ['a jwk without y', withJwk({ kty, crv, x }), 'jwk-form'],
  ['a jwk of another kty', withJwk({ kty: 'OKP', crv, x, y }), 'jwk-form'],
  ['a jwk of another curve', withJwk({ kty, crv: 'P-384', x, y }), 'jwk-form'],
  ['an RSA jwk', withJwk(rsa.publicKey.export({ format: 'jwk' })), 'jwk-form'],
  ['a padded coordinate', withJwk({ kty, crv, x: `${x}=`, y }), 'jwk-form'],
  ['a non-canonical coordinate', withJwk({ kty, crv, x: nonCanonical(x), y }), 'jwk-form'],
  ['a coordinate with a leading zero byte', withJwk({ kty, crv, x: `AA${x}`, y }), 'jwk-form'],
  ['a point beside the curve', withJwk({ kty, crv, x: y, y: x }), 'jwk-form'],
  ['a coordinate beyond the field', withJwk({ ...smallJwk, x: b64(bytes32(small.x + P256_PRIME)) }), 'jwk-form'],
  ['a jwk as text', withJwk(JWK), 'jwk-form'],
  ['a jwk of null', withJwk(null), 'jwk-form'],
  ['a jwk in an array', withJwk([publicJwk]), 'jwk-form'],
  ["another's jwk", withJwk(generateEcKeyPair().publicJwk), 'signature'],
  ['a DER signature', withSignature(sign('sha256', Buffer.from(signedText), privateKey)), 'signature'],
  ['r of zero', withSignature(Buffer.concat([Buffer.alloc(32), signature.subarray(32)])), 'signature'],
  ['s of zero', withSignature(Buffer.concat([signature.subarray(0, 32), Buffer.alloc(32)])), 'signature'],
  ['r of the order', withSignature(Buffer.concat([bytes32(P256_ORDER), signature.subarray(32)])), 'signature'],
  ['a signature of 63 bytes', withSignature(signature.subarray(0, 63)), 'signature'],
  ['a signature of 65 bytes', withSignature(Buffer.concat([signature, Buffer.alloc(1)])), 'signature'],
  ['other claims under the signature', `${headerPart}.${b64('{}')}.${signaturePart}`, 'signature'],
];

/** Signs until the signature has a character that base64 spells otherwise. */
function proofWithDash(): string {
  for (;;) {
    const proof = withPayload(CLAIMS);
    if (proof.includes('-')) return proof;
  }
}
function rsaProof(): string {
  const header = { typ: 'dpop+jwt', alg: 'RS256', jwk: rsa.publicKey.export({ format: 'jwk' }) };
  const input = `${b64(JSON.stringify(header))}.${payloadPart}`;
  return `${input}.${b64(sign('sha256', Buffer.from(input), rsa.privateKey))}`;
}
function hmacProof(): string {
  const input = `${b64(HEADER.replace('ES256', 'HS256'))}.${payloadPart}`;
  return `${input}.${createHmac('sha256', Buffer.from(x, 'base64url')).update(input).digest('base64url')}`;
}

describe('checkProofForm of a proof with', () => {
  it.each(BAD_PROOFS)('%s refuses', (_, bad, reason, twin = good) => {
    expect(checkProofForm(twin)).toMatchObject({ ok: true });
    expect(checkProofForm(bad)).toEqual({ ok: false, reason });
  });
});

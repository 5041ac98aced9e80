import { describe, expect, it } from '@jest/globals';
import { sha256 } from '../test/forge.js';
import {
  RFC9449_ACCESS_TOKEN,
  RFC9449_ATH,
  RFC9449_RESOURCE_PROOF,
  RFC9449_TOKEN_PROOF,
} from '../test/published-vectors.js';
import { checkProofForm } from './dpop-proof.js';
import { accessTokenHash, checkProofClaims } from './dpop-proof-claims.js';

const NOW = 1_800_000_000;
const TOKEN = 'header.payload.signature';
const HTU = 'https://play.example.com/v1/licenses';
const EXPECTED = { htm: 'POST', htu: HTU, accessToken: TOKEN, nowSeconds: NOW };
const GOOD = { htm: 'POST', htu: HTU, iat: NOW, jti: 'j1', ath: sha256(TOKEN) };

function without(name: keyof typeof GOOD): Record<string, unknown> {
  return Object.fromEntries(Object.entries(GOOD).filter(([claim]) => claim !== name));
}

describe('accessTokenHash', () => {
  it('is that of RFC 9449 figure 14', () => {
    expect(accessTokenHash(RFC9449_ACCESS_TOKEN)).toBe(RFC9449_ATH);
  });
});

describe('checkProofClaims', () => {
  it('takes the proof of RFC 9449 figure 13 for its request, and that of figure 2 for none: it names no token', () => {
    const resource = checkProofForm(RFC9449_RESOURCE_PROOF);
    const token = checkProofForm(RFC9449_TOKEN_PROOF);
    if (!resource.ok || !token.ok) throw new Error('the published proofs are good');
    const accessToken = RFC9449_ACCESS_TOKEN;
    const atResource = { htm: 'GET', htu: 'https://resource.example.org/protectedresource', accessToken };
    const atToken = { htm: 'POST', htu: 'https://server.example.com/token', accessToken };
    expect(checkProofClaims(resource.proof.claims, { ...atResource, nowSeconds: 1562262618 })).toEqual({
      ok: true,
      jti: 'e1j3V_bKic8-LAEB',
      iatSeconds: 1562262618,
    });
    expect(checkProofClaims(token.proof.claims, { ...atToken, nowSeconds: 1562262616 })).toEqual({
      ok: false,
      reason: 'ath',
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['60 s old', { ...GOOD, iat: NOW - 60 }],
    ['60 s ahead', { ...GOOD, iat: NOW + 60 }],
    ['exp to come', { ...GOOD, exp: NOW + 1 }],
    ['exp with a fraction', { ...GOOD, exp: NOW + 0.5 }],
    ['nbf now', { ...GOOD, nbf: NOW }],
    ['a jti of one character', { ...GOOD, jti: ' ' }],
    ['a jti of 128 characters', { ...GOOD, jti: 'j'.repeat(128) }],
    ['a jti of 128 characters beyond the basic plane', { ...GOOD, jti: '😀'.repeat(128) }],
    ['claims that we do not know', { ...GOOD, sub: 'x', aud: ['y'], nonce: 'n' }],
  ])('accepts %s', (_, claims) => {
    expect(checkProofClaims(claims, EXPECTED)).toMatchObject({ ok: true, jti: claims['jti'] });
  });

  it.each<[string, Record<string, unknown>, string]>([
    ['no htm', without('htm'), 'htm'],
    ['another method', { ...GOOD, htm: 'GET' }, 'htm'],
    ['the method in small letters', { ...GOOD, htm: 'post' }, 'htm'],
    ['the method with a space', { ...GOOD, htm: 'POST ' }, 'htm'],
    ['the method in an array', { ...GOOD, htm: ['POST'] }, 'htm'],
    ['no htu', without('htu'), 'htu'],
    ['htu of http', { ...GOOD, htu: HTU.replace('https', 'http') }, 'htu'],
    ['htu with the scheme in capitals', { ...GOOD, htu: HTU.replace('https', 'HTTPS') }, 'htu'],
    ['htu with the host in capitals', { ...GOOD, htu: HTU.replace('play', 'PLAY') }, 'htu'],
    ['htu with the default port', { ...GOOD, htu: HTU.replace('.com', '.com:443') }, 'htu'],
    ['htu with a user', { ...GOOD, htu: HTU.replace('play', 'u@play') }, 'htu'],
    ['htu with a dot at the end of the host', { ...GOOD, htu: HTU.replace('.com', '.com.') }, 'htu'],
    ['htu with a slash at the end', { ...GOOD, htu: `${HTU}/` }, 'htu'],
    ['htu with two slashes', { ...GOOD, htu: HTU.replace('/v1/', '/v1//') }, 'htu'],
    ['htu with dot segments', { ...GOOD, htu: HTU.replace('/v1/', '/x/../v1/') }, 'htu'],
    ['htu percent-encoded', { ...GOOD, htu: HTU.replace('licenses', '%6cicenses') }, 'htu'],
    ['htu with a query', { ...GOOD, htu: `${HTU}?a=1` }, 'htu'],
    ['htu with an empty query', { ...GOOD, htu: `${HTU}?` }, 'htu'],
    ['htu with a fragment', { ...GOOD, htu: `${HTU}#` }, 'htu'],
    ['htu with a space before', { ...GOOD, htu: ` ${HTU}` }, 'htu'],
    ['htu of another path', { ...GOOD, htu: `${HTU}x` }, 'htu'],
    ['htu in an array', { ...GOOD, htu: [HTU] }, 'htu'],
    ['no iat', without('iat'), 'iat-form'],
    ['iat as text', { ...GOOD, iat: String(NOW) }, 'iat-form'],
    ['iat with a fraction', { ...GOOD, iat: NOW + 0.5 }, 'iat-form'],
    ['iat of null', { ...GOOD, iat: null }, 'iat-form'],
    ['iat without bound', { ...GOOD, iat: Infinity }, 'iat-form'],
    ['iat 61 s old', { ...GOOD, iat: NOW - 61 }, 'iat-window'],
    ['iat 61 s ahead', { ...GOOD, iat: NOW + 61 }, 'iat-window'],
    ['iat in milliseconds', { ...GOOD, iat: NOW * 1_000 }, 'iat-window'],
    ['exp of now', { ...GOOD, exp: NOW }, 'exp'],
    ['exp in the past', { ...GOOD, exp: NOW - 1 }, 'exp'],
    ['exp as text', { ...GOOD, exp: String(NOW + 60) }, 'exp'],
    ['exp of null', { ...GOOD, exp: null }, 'exp'],
    ['exp without bound', { ...GOOD, exp: Infinity }, 'exp'],
    ['nbf to come', { ...GOOD, nbf: NOW + 1 }, 'nbf'],
    ['nbf as text', { ...GOOD, nbf: String(NOW) }, 'nbf'],
    ['nbf of null', { ...GOOD, nbf: null }, 'nbf'],
    ['no jti', without('jti'), 'jti'],
    ['an empty jti', { ...GOOD, jti: '' }, 'jti'],
    ['a jti that is a number', { ...GOOD, jti: 1 }, 'jti'],
    ['a jti of 129 characters', { ...GOOD, jti: 'j'.repeat(129) }, 'jti'],
    ['a jti of 129 characters beyond the basic plane', { ...GOOD, jti: '😀'.repeat(129) }, 'jti'],
    ['a jti with U+0000', { ...GOOD, jti: 'j\0' }, 'jti'],
    ['no ath', without('ath'), 'ath'],
    ['the ath of another token', { ...GOOD, ath: sha256(`${TOKEN}x`) }, 'ath'],
    ['a padded ath', { ...GOOD, ath: `${GOOD.ath}=` }, 'ath'],
    ['ath in base64', { ...GOOD, ath: Buffer.from(GOOD.ath, 'base64url').toString('base64') }, 'ath'],
    ['ath in hex', { ...GOOD, ath: Buffer.from(GOOD.ath, 'base64url').toString('hex') }, 'ath'],
    ['ath in an array', { ...GOOD, ath: [GOOD.ath] }, 'ath'],
  ])('refuses %s', (_, claims, reason) => {
    expect(checkProofClaims(GOOD, EXPECTED)).toEqual({ ok: true, jti: 'j1', iatSeconds: NOW });
    expect(checkProofClaims(claims, EXPECTED)).toEqual({ ok: false, reason });
  });

  it('takes the window from the caller', () => {
    const claims = { ...GOOD, iat: NOW - 10 };
    expect(checkProofClaims(claims, { ...EXPECTED, iatWindowSeconds: 10 })).toMatchObject({ ok: true });
    expect(checkProofClaims(claims, { ...EXPECTED, iatWindowSeconds: 9 })).toEqual({ ok: false, reason: 'iat-window' });
  });
});

import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { compactVerify, EmbeddedJWK } from 'jose';
import { checkProofForm } from '../src/dpop-proof.js';
import { checkProofClaims } from '../src/dpop-proof-claims.js';
import { publicKeyOf } from '../src/ec-public-jwk.js';
import { generateEcKeyPair } from '../src/ec-key-pair.js';
import { readToken } from '../src/latchkey-token.js';
import type { JsonObject } from '../src/strict-json.js';
import { b64, forge, partsOf } from './forge.js';
import { holds, holdsLater, mutationsOf } from './holds.js';
import { CONTENT, NOW, REGISTRATION } from './sample-claims.js';

const { privateKey, publicJwk, thumbprint } = generateEcKeyPair();
const HEADER = { typ: 'dpop+jwt', alg: 'ES256', jwk: publicJwk };
const HTU = 'https://play.example/v1/licenses';
const TOKEN = 'a.b.c';
const CLAIMS = { jti: 'j1', htm: 'POST', htu: HTU, iat: NOW, ath: createHash('sha256').update(TOKEN).digest('base64url'), nonce: 'n' };
const signed = (header: string, claims: string): string => forge(privateKey, b64(header), b64(claims));
const proof = signed(JSON.stringify(HEADER), JSON.stringify(CLAIMS));

/** Any one member of an object replaced, taken away, or added. */
function alteredMember(object: JsonObject, values: fc.Arbitrary<unknown>): fc.Arbitrary<JsonObject> {
  const names = fc.constantFrom(...Object.keys(object), 'x', 'crit', '__proto__');
  return fc.tuple(names, fc.oneof(values, fc.constant(undefined))).map(([name, value]) => {
    const members = Object.entries(object).filter(([each]) => each !== name);
    return Object.fromEntries(value === undefined ? members : [...members, [name, value]]);
  });
}

const strange = fc.oneof(
  fc.constantFrom<unknown>('', 'x', 'ES256', 'none', 'dpop+jwt', 'JWT', 0, 1, -1, 1.5, NOW, NOW + 60, NOW + 61, NOW - 60, NOW - 61, NOW + 0.5, 1e300, true, false, null, [], {}, 'POST', HTU, 'x'.repeat(128), 'x'.repeat(129)),
  fc.constantFrom<unknown>(HTU.toUpperCase(), HTU.replace('play', 'PLAY'), HTU.replace('.example', '.example:443'), HTU.replace('/v1', '/./v1'), ` ${HTU}`, 'post', 'POST '),
  fc.constantFrom<unknown>('\u{1f600}'.repeat(128), '\u{1f600}'.repeat(129), `${'x'.repeat(127)}\u{1f600}`, 'a\0', [HTU], ['POST'], { jkt: thumbprint }),
  fc.jsonValue(),
);

describe('the form of a proof', () => {
  it('is good for the right proof alone, however its text is changed', () => {
    const right = checkProofForm(proof);
    expect(right.ok).toBe(true);
    holds(
      fc.property(mutationsOf(proof), (text) => {
        const form = checkProofForm(text);
        if (form.ok) expect([text, form]).toEqual([proof, right]);
      }),
      1_500,
    );
  });

  it('is good where another reader takes it too and its header has three members, and nowhere else', async () => {
    const jwk = alteredMember({ ...publicJwk }, strange).map((each) => ({ ...HEADER, jwk: each }));
    const headers = fc.oneof(fc.constant(HEADER), alteredMember(HEADER, strange), jwk).map((header) => JSON.stringify(header));
    const texts = fc.oneof(headers, headers.chain(mutationsOf));
    await holdsLater(
      fc.asyncProperty(texts, fc.oneof(fc.constant(CLAIMS), alteredMember(CLAIMS, strange)), async (header, claims) => {
        const form = checkProofForm(signed(header, JSON.stringify(claims)));
        const isExact = isOurHeader(header);
        expect(form.ok).toBe(isExact);
        if (!form.ok) return;
        const verified = await compactVerify(signed(header, JSON.stringify(claims)), EmbeddedJWK, { algorithms: ['ES256'] });
        // A nonce that is no text counts as none.
        const { nonce, ...others } = JSON.parse(Buffer.from(verified.payload).toString()) as JsonObject;
        expect(form.proof.claims).toEqual({ ...others, nonce: typeof nonce === 'string' ? nonce : undefined });
        expect(form.proof.thumbprint).toBe(thumbprint);
      }),
      600,
    );
  });
});

/** The header as its one meaning, written canonically; whatever was left out of it or said twice makes it longer. */
function isOurHeader(text: string): boolean {
  const canonical = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1)).map(([name, each]) => [name, canonical(each)]) : value;
  try {
    const names = text.match(/"(?:[^"\\]|\\.)*"\s*:/g) ?? [];
    return JSON.stringify(canonical(JSON.parse(text))) === JSON.stringify(canonical(HEADER)) && names.length === 7 && !text.startsWith('\ufeff') && text.isWellFormed();
  } catch {
    return false;
  }
}

/** The claims by patterns over their JSON text. */
function areOurClaims(claims: JsonObject): boolean {
  const text = (name: string): string => (Object.hasOwn(claims, name) ? JSON.stringify(claims[name]) : '');
  const number = (name: string): number => (/^[\d.e+-]+$/i.test(text(name)) ? Number(text(name)) : Number.NaN);
  const jti = /^"((?:[^"\\]|\\.)*)"$/su.exec(text('jti'))?.[1];
  return (
    text('htm') === '"POST"' &&
    text('htu') === `"${HTU}"` &&
    text('ath') === `"${CLAIMS.ath}"` &&
    /^\d+$/.test(text('iat')) && number('iat') >= NOW - 60 && number('iat') <= NOW + 60 &&
    (text('exp') === '' || number('exp') > NOW) &&
    (text('nbf') === '' || number('nbf') <= NOW) &&
    jti !== undefined && /^(?:[^\\]|\\u(?!0000)....|\\[^u]){1,128}$/su.test(jti)
  );
}

describe('the claims of a proof', () => {
  it('are good where patterns over their JSON find them so, and nowhere else', () => {
    const claims = fc.oneof(
      alteredMember(CLAIMS, strange),
      alteredMember({ ...CLAIMS, exp: NOW + 1, nbf: NOW }, strange),
      fc.record({ ...Object.fromEntries(Object.keys(CLAIMS).map((name) => [name, strange])), exp: strange, nbf: strange }),
      fc.constant({ ...CLAIMS, exp: NOW + 1, nbf: NOW }),
      fc.string({ unit: 'grapheme', maxLength: 140 }).map((jti) => ({ ...CLAIMS, jti })),
    );
    holds(
      fc.property(claims, (altered) => {
        // As it comes off the wire.
        const received = JSON.parse(JSON.stringify(altered)) as JsonObject;
        const checked = checkProofClaims(received, { htm: 'POST', htu: HTU, accessToken: TOKEN, nowSeconds: NOW });
        expect(checked.ok).toBe(areOurClaims(received));
        if (checked.ok) expect(checked).toEqual({ ok: true, jti: received['jti'], iatSeconds: received['iat'] });
      }),
      2_000,
    );
  });
});

const TOKENS = [
  ['content', CONTENT],
  ['content', { ...CONTENT, rights: { type: 'rental', available_until: NOW, play_duration: 1 } }],
  ['registration', REGISTRATION],
] as const;
const TOKEN_HEADER = { alg: 'ES256', kid: thumbprint };

const isDate = (text: string): boolean => /^(?:0|[1-9]\d{0,11})$/.test(text) && Number(text) <= Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
const KEY_ID = '[\\w-]{42}[AEIMQUYcgkosw048]';
/** The JSON text of each claim as a pattern. */
const CLAIM_TEXTS: Readonly<Record<string, RegExp | ((text: string) => boolean)>> = {
  iss: /^"(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,512}"$/,
  aud: /^"(?:[\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,512}"$/,
  iat: isDate,
  exp: isDate,
  cookie_exp: isDate,
  jti: /^"[\w.:-]{1,128}"$/,
  merchant: /^"[\w.:-]{1,128}"$/,
  account: /^"[\w.:-]{1,128}"$/,
  purchase: /^"[\w.:-]{1,128}"$/,
  clock: /^"[\w.:-]{1,128}"$/,
  content: /^"[\w.:-]{1,128}"$/,
  cookie: /^"[\w.~:@+/=-]{1,32}"$/,
  kids: /^\["[0-9a-f]{32}"(?:,"[0-9a-f]{32}"){0,31}\]$/,
  keys: /^\["[a-z0-9-]{1,10}\.[\w-]{58}[AEIMQUYcgkosw048]"(?:,"[a-z0-9-]{1,10}\.[\w-]{58}[AEIMQUYcgkosw048]"){0,31}\]$/,
  cnf: new RegExp(`^\\{"jkt":"${KEY_ID}"\\}$`),
  device: /^"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\]){1,128}"$/,
  rights: (text) => /^\{"type":"purchase"(?:,"available_from":\d+)?\}$/.test(text) || /^\{"type":"rental","available_until":\d+,"play_duration":[1-9]\d*\}$/.test(text),
};
const REQUIRED = {
  content: ['iss', 'aud', 'iat', 'exp', 'jti', 'merchant', 'cookie', 'content', 'kids', 'keys', 'rights'],
  registration: ['iss', 'aud', 'iat', 'exp', 'jti', 'merchant', 'cookie', 'account', 'cookie_exp'],
};
const OPTIONAL = { content: ['account', 'purchase', 'clock', 'cnf', 'device'], registration: ['cnf'] };

function areOurTokenClaims(kind: 'content' | 'registration', claims: JsonObject): boolean {
  const names = Object.keys(claims);
  const fits = (name: string): boolean => {
    const pattern = CLAIM_TEXTS[name]!;
    const text = JSON.stringify(claims[name]);
    return typeof pattern === 'function' ? pattern(text) : pattern.test(text);
  };
  if (!REQUIRED[kind].every((name) => names.includes(name)) || !names.every((name) => [...REQUIRED[kind], ...OPTIONAL[kind]].includes(name) && fits(name))) return false;
  if (Number(claims['exp']) <= Number(claims['iat'])) return false;
  if (kind === 'registration') return true;
  const { kids, keys } = claims as { kids: string[]; keys: string[] };
  return new Set(kids).size === keys.length && kids.length === keys.length && names.includes('cnf') !== names.includes('device');
}

describe('a token', () => {
  it('is read where patterns over its JSON find its claims good, and nowhere else', () => {
    const dates = fc.constantFrom<unknown>(253_402_300_799, 253_402_300_800, NOW - 1, NOW, [CONTENT.kids[0]], [CONTENT.kids[0], CONTENT.kids[0]], CONTENT.keys.slice(1), 'd', 'a b', { type: 'purchase', available_from: 0 });
    const cases = fc.constantFrom(...TOKENS).chain(([kind, claims]) => fc.tuple(fc.constant(kind), fc.oneof(fc.constant<JsonObject>({ ...claims }), alteredMember({ ...claims }, fc.oneof(strange, dates)), alteredMember({ ...claims, device: 'd' }, fc.oneof(strange, dates)))));
    holds(
      fc.property(cases, ([kind, claims]) => {
        const text = signed(JSON.stringify({ ...TOKEN_HEADER, typ: `latchkey-${kind}+jwt` }), JSON.stringify(claims));
        const token = readToken(text);
        expect(token.ok).toBe(areOurTokenClaims(kind, JSON.parse(JSON.stringify(claims)) as JsonObject));
        if (token.ok) expect([token.kind, token.keyId, token.claims, token.verify(publicKeyOf(publicJwk))]).toEqual([kind, thumbprint, claims, true]);
      }),
      1_200,
    );
  });

  it('verifies for its own text alone, however that is changed', () => {
    const text = signed(JSON.stringify({ ...TOKEN_HEADER, typ: 'latchkey-content+jwt' }), JSON.stringify(CONTENT));
    expect(readToken(text).ok).toBe(true);
    holds(
      fc.property(mutationsOf(text), (changed) => {
        const token = readToken(changed);
        if (token.ok && token.verify(publicKeyOf(publicJwk))) expect(changed).toBe(text);
      }),
      1_200,
    );
  });

  it('is another where header, claims or signature are those of another', () => {
    const [one, other] = [CONTENT, { ...CONTENT, jti: 'tok_2' }].map((claims) => partsOf(signed(JSON.stringify({ ...TOKEN_HEADER, typ: 'latchkey-content+jwt' }), JSON.stringify(claims))));
    for (const mixed of [[one![0], other![1], one![2]], [one![0], one![1], other![2]]]) {
      const token = readToken(mixed.join('.'));
      expect(token.ok && token.verify(publicKeyOf(publicJwk))).toBe(false);
    }
  });
});

import { createCipheriv, createSecretKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { unwrapAesKey, wrapAesKey } from '../src/aes-key-wrap.js';
import { decodeBase64url } from '../src/base64url.js';
import { type EcPublicJwk, publicKeyOf, readEcPublicJwk } from '../src/ec-public-jwk.js';
import { verifyEs256 } from '../src/es256.js';
import { parseCompactJws } from '../src/jws.js';
import { KeyRing } from '../src/key-ring.js';
import { open } from '../src/sealed-box.js';
import { isJsonObject, parseStrictJson } from '../src/strict-json.js';
import { b64 } from './forge.js';

type Result = 'valid' | 'invalid' | 'acceptable';
interface Vector {
  readonly tcId: number;
  readonly comment: string;
  readonly result: Result;
}
/** What we decide otherwise than the publisher, or where the publisher leaves it open: by test case, with the reason. */
type Decisions = Readonly<Record<number, readonly [result: Result, why: string]>>;

function readGroups<Group>(file: string): readonly Group[] {
  return (JSON.parse(readFileSync(new URL(`./vectors/${file}`, import.meta.url), 'utf8')) as { testGroups: Group[] }).testGroups;
}

const hex = (text: string): Buffer => Buffer.from(text, 'hex');
const verdictOf = (accepted: boolean): Result => (accepted ? 'valid' : 'invalid');

/** Compares what became of each vector with what is expected of it; the comment stands beside each in a failure. */
function expectResults<Of extends Vector>(vectors: readonly Of[], judge: (vector: Of) => Result, decisions: Decisions = {}): void {
  const line = ({ tcId, comment }: Of, result: Result): string => `${tcId} ${comment}: ${result}`;
  expect(vectors.map((vector) => line(vector, judge(vector)))).toEqual(vectors.map((vector) => line(vector, decisions[vector.tcId]?.[0] ?? vector.result)));
}

describe('ECDSA P-256 with SHA-256, as r‖s', () => {
  interface Group {
    readonly publicKey: string;
    readonly tests: readonly (Vector & { readonly msg: string; readonly sig: string })[];
  }
  const groups = readGroups<Group>('ecdsa-p256-sha256-p1363.json');

  it('verifies what has to verify, and nothing else', () => {
    const vectors = groups.flatMap(({ publicKey, tests }) => tests.map((test) => ({ ...test, publicKey })));
    expect(vectors).toHaveLength(262);
    expectResults(vectors, ({ publicKey, msg, sig }) => {
      const jwk = readEcPublicJwk({ kty: 'EC', crv: 'P-256', x: b64(hex(publicKey.slice(2, 66))), y: b64(hex(publicKey.slice(66))) });
      return verdictOf(jwk !== undefined && verifyEs256(publicKeyOf(jwk), hex(msg).toString('latin1'), hex(sig)));
    });
  });
});

describe('AES-256-GCM', () => {
  type Parts = Readonly<Record<'key' | 'iv' | 'aad' | 'msg' | 'ct' | 'tag', string>>;
  interface Group {
    readonly ivSize: number;
    readonly tagSize: number;
    readonly tests: readonly (Vector & Parts)[];
  }
  const groups = readGroups<Group>('aes-256-gcm.json');
  const ours = groups.filter(({ ivSize, tagSize }) => ivSize === 96 && tagSize === 128).flatMap(({ tests }) => tests);
  const others = groups.filter(({ ivSize }) => ivSize !== 96).flatMap(({ tests }) => tests);
  const opened = ({ key, iv, aad, ct, tag }: Parts): Buffer | undefined => open(createSecretKey(hex(key)), hex(aad), hex(iv + ct + tag));

  it('with the IV and tag that we use opens what has to open, to the same bytes', () => {
    expect(ours).toHaveLength(66);
    expectResults(ours, (vector) => verdictOf(opened(vector)?.toString('hex') === vector.msg));
    expectResults(ours, (vector) => verdictOf(opened(vector) !== undefined));
  });

  it('of the platform seals the same bytes: our own sealing draws its IV', () => {
    expectResults(ours, ({ key, iv, aad, msg, ct, tag }) => {
      const cipher = createCipheriv('aes-256-gcm', hex(key), hex(iv), { authTagLength: 16 });
      cipher.setAAD(hex(aad));
      return verdictOf(Buffer.concat([cipher.update(hex(msg)), cipher.final(), cipher.getAuthTag()]).toString('hex') === ct + tag);
    });
  });

  it('with an IV of another length opens nothing: we have one length', () => {
    expect(others).toHaveLength(39);
    for (const vector of others) expect(opened(vector)).toBeUndefined();
  });

  it.each([16, 24])('with a key of %i bytes is none of ours', (length) => {
    expect(() => new KeyRing([{ id: 'k1', key: Buffer.alloc(length) }])).toThrow(RangeError);
  });
});

describe('AES key wrap', () => {
  interface Group {
    readonly keySize: number;
    readonly tests: readonly (Vector & Readonly<Record<'key' | 'msg' | 'ct', string>>)[];
  }
  const vectors = readGroups<Group>('aes-wrap.json').flatMap(({ tests }) => tests);
  const short = 'RFC 3394 §2 wants two blocks at least; eight bytes are refused';
  const decisions: Decisions = { 12: ['invalid', short], 54: ['invalid', short], 109: ['invalid', short] };

  it('unwraps what has to unwrap, to the same bytes', () => {
    expect(vectors).toHaveLength(165);
    expectResults(vectors, ({ key, msg, ct }) => verdictOf(unwrapAesKey(hex(key), hex(ct))?.toString('hex') === msg), decisions);
    expectResults(vectors, ({ key, ct }) => verdictOf(unwrapAesKey(hex(key), hex(ct)) !== undefined), decisions);
  });

  it('wraps valid ones to the same bytes', () => {
    for (const { key, msg, ct } of vectors.filter(({ result }) => result === 'valid')) expect(wrapAesKey(hex(key), hex(msg)).toString('hex')).toBe(ct);
  });

  it('leaves no open decision', () => {
    expect(vectors.filter(({ result }) => result === 'acceptable').map(({ tcId }) => String(tcId))).toEqual(Object.keys(decisions));
  });
});

describe('JSON Web Signatures', () => {
  type Jwk = Readonly<Record<string, unknown>>;
  interface Group {
    readonly comment: string;
    /** A key, or a set of keys. */
    readonly public?: Jwk | { readonly keys: readonly Jwk[] };
    readonly tests: readonly (Vector & { readonly jws: string })[];
  }
  const keysOf = (given: Group['public'] = { keys: [] }): readonly Jwk[] => (Array.isArray(given['keys']) ? (given['keys'] as Jwk[]) : [given]);
  const flatten = (groups: readonly Group[]): (Vector & { jws: string; keys: readonly Jwk[] })[] =>
    groups.flatMap(({ comment, tests, ...group }) => tests.map((test) => ({ ...test, comment: `${comment} ${test.comment}`, keys: keysOf(group.public) })));
  const signatures = flatten(readGroups<Group>('json-web-signature.json'));
  const keys = flatten(readGroups<Group>('json-web-key.json'));

  /** What of a JWS is checked before its payload: theirs are no JSON, ours always are. */
  function verifies({ jws, keys: given }: (typeof signatures)[number]): boolean {
    const parts = jws.split('.');
    const [header, payload, signature] = parts.map(decodeBase64url);
    if (parts.length !== 3 || !header || !payload || !signature) return false;
    const parsed = parseStrictJson(header);
    if (!parsed.ok || !isJsonObject(parsed.value) || parsed.value['alg'] !== 'ES256') return false;
    return given.some((key) => {
      const jwk = readEcPublicJwk(fourMembersOf(key));
      return jwk !== undefined && verifyEs256(publicKeyOf(jwk), parts.slice(0, 2).join('.'), signature);
    });
  }

  /** Their keys have more members than ours may have; what is left out says what a key is for, and ours are for signatures. */
  function fourMembersOf({ kty, crv, x, y }: Partial<Record<keyof EcPublicJwk, unknown>>): unknown {
    return { kty, crv, x, y };
  }

  const otherAlgorithm = 'made with an algorithm that is not ours';
  /** Theirs are valid by the algorithms of their groups: RSA, HMAC, and curves that are not ours. */
  const refusedForAlgorithm = (vectors: typeof signatures): Decisions =>
    Object.fromEntries(vectors.filter(({ jws, result }) => result === 'valid' && !isEs256(jws)).map(({ tcId }) => [tcId, ['invalid', otherAlgorithm] as const]));

  function isEs256(jws: string): boolean {
    return Buffer.from(jws.split('.')[0] ?? '', 'base64url').toString().includes('"ES256"');
  }

  it('verify where they are ES256 and valid, and nowhere else', () => {
    expect(signatures).toHaveLength(401);
    expectResults(signatures, (vector) => verdictOf(verifies(vector)), {
      ...refusedForAlgorithm(signatures),
      354: ['valid', 'what a key is for stands in its use, which no key of ours has'],
      356: ['valid', 'as above, in its key_ops'],
    });
  });

  it('with hostile keys verify where four members make a P-256 key, and nowhere else', () => {
    expect(keys).toHaveLength(26);
    const [algorithm, invalidAlgorithm, use] = ['wrong_algorithm', 'invalid_algorithm', 'invalid_use'].map((name) => keys.find(({ comment }) => comment.startsWith(name))!.tcId);
    const why = 'the member that is wrong is one that no key of ours has';
    expectResults(keys, (vector) => verdictOf(verifies(vector)), {
      ...refusedForAlgorithm(keys),
      [algorithm!]: ['valid', why],
      [invalidAlgorithm!]: ['valid', why],
      [use!]: ['valid', why],
    });
  });

  it('of these keys none is taken as it stands, for each has members that ours may not have', () => {
    const given = [...signatures, ...keys].flatMap((vector) => vector.keys);
    expect(given.length).toBeGreaterThan(300);
    for (const key of given) expect(readEcPublicJwk(key)).toBeUndefined();
  });

  it('are none of our tokens or proofs, whose payload is a JSON object', () => {
    for (const { jws } of [...signatures, ...keys]) expect(parseCompactJws(jws, { maxBytes: 10_000 }).ok).toBe(false);
  });
});

import { licenseRequest } from '@latchkey/contracts';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { readCredentials } from '../src/license/credentials.js';
import { readLicenseRequest } from '../src/license/license-request.js';

/** The same cases in every run; `FC_SEED` tries others. A failure names its seed. */
const SEED = Number(process.env['FC_SEED'] ?? 20_261_123);

const kid = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url'));
const strange = fc.oneof(fc.jsonValue(), fc.constantFrom<unknown>('temporary', 'persistent-license', '', null, [], {}));
const kids = fc.oneof(
  fc.uniqueArray(kid, { minLength: 1, maxLength: 4 }),
  fc.uniqueArray(kid, { minLength: 1, maxLength: 33 }),
  fc.uniqueArray(kid, { minLength: 31, maxLength: 34 }),
  fc.array(fc.constantFrom('AAAAAAAAAAAAAAAAAAAAAA', 'AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAB', 'AAAAAAAAAAAAAAAAAAAAAA==', 1, null), { maxLength: 3 }),
  strange,
);
const body = fc
  .record({ kids, type: fc.oneof({ weight: 4, arbitrary: fc.constant<unknown>('temporary') }, { weight: 1, arbitrary: strange }) }, { requiredKeys: [] })
  .chain((value) => fc.oneof({ weight: 4, arbitrary: fc.constant<object>(value) }, { weight: 1, arbitrary: strange.map((more) => ({ ...value, more })) }))
  .chain((value) => fc.tuple(fc.constantFrom(JSON.stringify(value), JSON.stringify(value, undefined, 2), ` ${JSON.stringify(value)}`), fc.nat(), fc.option(fc.constantFrom('"', ',', '{', '[1]', '\\', '\ufeff', ' ', '"kids":["AAAAAAAAAAAAAAAAAAAAAA"],'), { freq: 3 })))
  .map(([text, place, inserted]) => {
    const at = place % (text.length + 1);
    return inserted === null ? text : text.slice(0, at) + inserted + text.slice(at);
  });

/** By the schema of the API's documents, from the text that JSON has for what was read: told twice, a member makes it shorter. */
function readBySchema(text: string): string[] | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const blank = (json: string): number => json.replaceAll(/\s/g, '').length;
  const written = JSON.stringify(value);
  const parsed = licenseRequest.safeParse(value);
  if (!parsed.success || blank(written) !== blank(text) || text.startsWith('\ufeff')) return undefined;
  const read = parsed.data.kids.map((each) => Buffer.from(each, 'base64url'));
  // What a schema cannot say: all different, each in its one spelling.
  const isCanonical = read.every((bytes, index) => bytes.length === 16 && bytes.toString('base64url') === parsed.data.kids[index]);
  return isCanonical && new Set(parsed.data.kids).size === read.length ? read.map((bytes) => bytes.toString('hex')) : undefined;
}

describe('a licence request', () => {
  it('is read where the schema of the API takes it and nothing in it is said twice, and nowhere else', () => {
    let taken = 0;
    fc.assert(
      fc.property(fc.oneof(body, fc.string()), fc.constantFrom('content', 'registration'), (text, kind) => {
        const read = readLicenseRequest(Buffer.from(text), kind);
        const expected = text === '' && kind === 'registration' ? [] : readBySchema(text);
        expect(read.ok ? read.kids : undefined).toEqual(expected);
        if (read.ok) taken += 1;
      }),
      { seed: SEED, numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  it('of any bytes is read or refused, and never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const read = readLicenseRequest(bytes, 'content');
        expect(read.ok || read.reason).not.toBe(true);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
  });
});

const authorization = fc.oneof(
  fc.constantFrom('DPoP a.b.c', 'dpop  a.b.c=='),
  fc.tuple(fc.constantFrom('DPoP', 'dpop', 'DPOP', 'Bearer', 'Basic', 'DPoPx', '', '"DPoP"', 'DP oP'), fc.constantFrom(' ', '  ', '', '\t', ' , '), fc.constantFrom('a.b.c', 'a', '', 'a=', 'a=b', '=', 'a b', 'a,b', 'a, DPoP b', 'é', 'a\n', 'a.b.c ')).map((parts) => parts.join('')),
  fc.string(),
);
const proofText = fc.oneof(fc.constantFrom('x.y.z', '', 'x,y', ' ', 'x y'), fc.string());

/** The values of one header: one, or now and then none or two. */
const values = (value: fc.Arbitrary<string>): fc.Arbitrary<string[]> => fc.oneof({ weight: 3, arbitrary: fc.tuple(value) }, { weight: 1, arbitrary: fc.array(value, { maxLength: 2 }) });

describe('credentials', () => {
  it('are read where there is one of each, by one pattern for the whole header, and nowhere else', () => {
    let taken = 0;
    const headers = fc.record({ authorization: values(authorization), dpop: values(proofText) }, { requiredKeys: [] });
    const query = fc.constantFrom<object>({}, { player: '1' }, { access_token: 'x' }, { access_token: ['x'] });
    fc.assert(
      fc.property(headers, query, (given, asked) => {
        const read = readCredentials({ headers: given, query: asked });
        const [one = [], proofs = []] = [given.authorization, given.dpop];
        const token = one.length === 1 ? /^dpop +([\w.~+/-]+=*)$/i.exec(one[0]!)?.[1] : undefined;
        const isOne = token !== undefined && !one[0]!.endsWith('\n') && proofs.length < 2 && !(proofs[0] ?? '').includes(',') && !Object.keys(asked).includes('access_token');
        expect(read.ok ? [read.token, read.proof] : undefined).toEqual(isOne ? [token, proofs[0] ?? ''] : undefined);
        if (read.ok) taken += 1;
      }),
      { seed: SEED, numRuns: 3_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });
});

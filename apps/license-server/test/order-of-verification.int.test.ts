import { requests } from '@latchkey/contracts';
import { type ContentClaims, generateSigningKey, newId } from '@latchkey/crypto';
import { eventually, FakeDevice } from '@latchkey/kits';
import { Requests } from '@latchkey/messaging';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, contentToken, nowSeconds, openBenchWithReplica, OTHER_KID, type Replica } from './bench.js';

const OTHER_DEVICE = 'b2'.repeat(16);
const REVOKED_DEVICE = 'c3'.repeat(16);
const REVOKED_TOKEN = newId('tok');

/** One fault of a question, and the code that it is refused with. */
interface Fault {
  readonly name: string;
  readonly code: string;
  readonly claims?: Partial<ContentClaims>;
  readonly forged?: boolean;
  readonly question?: { readonly merchantId?: string; readonly kids?: string[] };
}

/** In the order in which the licence server promises that they are found. Faults of one code need not be told apart. */
const FAULTS: readonly Fault[] = [
  { name: 'a forged token', code: 'invalid-token', forged: true },
  { name: 'another merchant', code: 'invalid-token', question: { merchantId: 'm2' } },
  { name: 'an expired token', code: 'invalid-token', claims: { exp: nowSeconds() - 1, iat: nowSeconds() - 60 } },
  { name: 'another device', code: 'device-mismatch', claims: { device: OTHER_DEVICE } },
  { name: 'a kid that is not in the token', code: 'kid-not-in-token', question: { kids: [OTHER_KID] } },
  { name: 'a revoked device', code: 'device-revoked', claims: { device: REVOKED_DEVICE } },
  { name: 'a revoked token', code: 'invalid-token', claims: { jti: REVOKED_TOKEN } },
  { name: 'a rental that has not begun', code: 'rental-not-started', claims: { rights: { type: 'purchase', available_from: 4_102_444_800 } } },
];
const PAIRS = FAULTS.flatMap((early, at) => FAULTS.slice(at + 1).map((late) => [early.name, late.name, early, late] as const));

let bench: Bench & { replica: Replica };
let calls: Requests;

beforeAll(async () => {
  bench = await openBenchWithReplica();
  calls = new Requests(bench.broker);
  await bench.revokeDevice(REVOKED_DEVICE);
  await bench.revokeToken(REVOKED_TOKEN);
  await eventually(async () => {
    expect(await bench.rows('select from revoked_devices')).toHaveLength(1);
    expect(await bench.rows('select from revoked_tokens')).toHaveLength(1);
  });
});
afterAll(async () => bench?.close());

/** What a question with these faults is answered. A device that is revoked is the one that asks. */
async function answerTo(faults: readonly Fault[]): Promise<string> {
  const isRevoked = faults.some(({ code }) => code === 'device-revoked');
  const deviceId = isRevoked ? REVOKED_DEVICE : 'a1'.repeat(16);
  const claims = { cnf: undefined, device: deviceId };
  for (const fault of faults.toReversed()) Object.assign(claims, fault.claims);
  const signer = faults.some(({ forged }) => forged) ? { ...bench, signingKey: { ...generateSigningKey(), keyId: bench.signingKey.keyId } } : bench;
  const token = contentToken(signer, new FakeDevice(), claims);
  const question = Object.assign({}, ...faults.map((fault) => fault.question ?? {})) as Fault['question'];
  const verdict = await calls.ask(requests.verifyLicense, { merchantId: 'm1', drm: 'playready', deviceId, token, ...question });
  return verdict.allow ? 'allow' : verdict.code;
}

describe('a question with two faults gets the answer of the earlier check', () => {
  it('and none without a fault', async () => {
    expect(await answerTo([])).toBe('allow');
  });

  it.each(FAULTS.map((fault) => [fault.name, fault] as const))('%s alone', async (_, fault) => {
    expect(await answerTo([fault])).toBe(fault.code);
  });

  it.each(PAIRS)('%s before %s', async (_early, _late, one, other) => {
    expect(await answerTo([one, other])).toBe(one.code);
  });
});

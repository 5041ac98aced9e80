import { createNonces, generateDeviceKey } from '@latchkey/crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, CONTENT_KEY, keyRing, MERCHANT, nowSeconds, openBenchWithReplica, OTHER_KID, type Replica } from './bench.js';
import { draftRequest, type JwsChange, LICENSES, newScene, type RequestChange, TOKENS } from './hostile/draft.js';
import { sendRaw } from './hostile/raw-http.js';

/** One fault, and the stage and reason under which the metric of refusals counts it. */
interface Fault {
  readonly refusal: string;
  readonly change: RequestChange;
  /** The proof was used before. */
  readonly replayed?: boolean;
}

const tokenClaims = (claims: Record<string, unknown>): RequestChange => ({ token: { claims: (right) => ({ ...right, ...claims }) } });
const proofClaims = (claims: Record<string, unknown>): RequestChange => ({ proof: { claims: (right) => ({ ...right, ...claims }) } });
const otherKeys = [keyRing().wrapContentKey({ merchantId: MERCHANT, kid: OTHER_KID, key: CONTENT_KEY })];

/** One fault or two of each stage, in the order in which the API promises that they are found. */
const FAULTS: readonly Fault[] = [
  {
    refusal: 'transport bearer-scheme',
    change: { headers: (headers) => headers.map(([name, value]) => [name, value.replace('DPoP ', 'Bearer ')] as const) },
  },
  { refusal: 'proof typ', change: { proof: { header: (right) => ({ ...right, typ: 'jwt' }) } } },
  { refusal: 'proof signature', change: { proof: { signer: ({ stranger }) => stranger.privateKey } } },
  { refusal: 'proof htm', change: proofClaims({ htm: 'PUT' }) },
  { refusal: 'proof iat-window', change: proofClaims({ iat: 1 }) },
  { refusal: 'nonce not-fresh', change: proofClaims({ nonce: 'made-up' }) },
  { refusal: 'token signature', change: { token: { signer: ({ stranger }) => stranger.privateKey } } },
  { refusal: 'token expired', change: tokenClaims({ iat: 1, exp: 2 }) },
  { refusal: 'token aud', change: tokenClaims({ aud: 'https://other.example/v1/licenses' }) },
  { refusal: 'binding other-key', change: { token: { claims: (right, { stranger }) => ({ ...right, cnf: { jkt: stranger.deviceId } }) } } },
  { refusal: 'body not-json', change: { body: '{' } },
  { refusal: 'rights kid-not-in-token', change: tokenClaims({ kids: [OTHER_KID], keys: otherKeys }) },
  { refusal: 'rights rental-not-started', change: tokenClaims({ rights: { type: 'purchase', available_from: 4_102_444_800 } }) },
  { refusal: 'replay proof-used', change: {}, replayed: true },
];
const WITHOUT_BODY = FAULTS.filter(({ refusal }) => !/^(?:body|rights) /.test(refusal));

const ROUTES = [
  { name: 'POST /v1/licenses', route: LICENSES, faults: FAULTS, metric: 'latchkey_licenses_denied_total' },
  { name: 'GET /v1/device/tokens', route: TOKENS, faults: WITHOUT_BODY, metric: 'latchkey_device_token_lists_refused_total' },
];

/** Every two of them, the earlier one first. */
function pairsOf(faults: readonly Fault[]): (readonly [string, string, Fault, Fault])[] {
  return faults.flatMap((early, at) => faults.slice(at + 1).map((late) => [early.refusal, late.refusal, early, late] as const));
}

/** A request with both faults. Of a step that both change, the second one starts from what the first one made. */
function both(one: RequestChange, other: RequestChange): RequestChange {
  return { ...one, ...other, token: bothJws(one.token, other.token), proof: bothJws(one.proof, other.proof) };
}

function bothJws(one: JwsChange = {}, other: JwsChange = {}): JwsChange {
  const chained: JwsChange = {
    header: (right, scene) => [one, other].reduce((value, { header }) => header?.(value, scene) ?? value, right),
    claims: (right, scene) => [one, other].reduce((value, { claims }) => claims?.(value, scene) ?? value, right),
  };
  return { ...one, ...other, ...chained };
}

const nonces = createNonces({ secrets: keyRing().deriveSecrets('dpop-nonce') });
const keys = { device: generateDeviceKey(), stranger: generateDeviceKey() };
let bench: Bench & { replica: Replica };

beforeAll(async () => {
  bench = await openBenchWithReplica();
});
afterAll(async () => bench?.close());

describe.each(ROUTES)('$name with two faults gets the answer of the earlier check', ({ route, faults, metric }) => {
  /** What the metric has counted so far, by stage and reason. */
  async function counts(): Promise<Map<string, number>> {
    const { values } = await bench.replica.metrics.registry.getSingleMetric(metric)!.get();
    return new Map(values.map(({ labels, value }) => [`${labels['stage']} ${labels['reason']}`, value]));
  }

  /** Under which stage and reason a request with these faults is refused. */
  async function refusalOf(given: readonly Fault[]): Promise<string[]> {
    const scene = newScene({ ...keys, signingKey: bench.signingKey, nonce: nonces.issue(nowSeconds()), tokenKind: 'content' }, route);
    if (given.some(({ replayed }) => replayed)) expect((await sendRaw(bench.replica.url, await draftRequest(scene))).status).toBe(200);
    const before = await counts();
    const change = given.reduce((sum, fault) => both(sum, fault.change), {} as RequestChange);
    expect((await sendRaw(bench.replica.url, await draftRequest(scene, change))).status).toBeGreaterThanOrEqual(400);
    return [...(await counts())].filter(([labels, count]) => count !== (before.get(labels) ?? 0)).map(([labels]) => labels);
  }

  it.each(faults.map((fault) => [fault.refusal, fault] as const))('%s alone', async (refusal, fault) => {
    expect(await refusalOf([fault])).toEqual([refusal]);
  });

  it.each(pairsOf(faults))('%s before %s', async (early, _late, one, other) => {
    expect(await refusalOf([one, other])).toEqual([early]);
  });
});

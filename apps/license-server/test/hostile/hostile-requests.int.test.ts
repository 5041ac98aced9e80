import { createNonces, generateDeviceKey } from '@latchkey/crypto';
import type { ErrorCode } from '@latchkey/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, CONTENT_KEY, keyRing, nowSeconds, openBenchWithReplica, type Replica } from '../bench.js';
import { bodyCases } from './body-cases.js';
import { type Draft, draftRequest, newScene, type RequestChange, type Scene } from './draft.js';
import type { HostileCase } from './hostile-case.js';
import { nonceCases } from './nonce-cases.js';
import { oddButRight } from './odd-but-right.js';
import { proofClaimCases } from './proof-claim-cases.js';
import { proofFormCases } from './proof-form-cases.js';
import { proofKeyCases } from './proof-key-cases.js';
import { proofSignatureCases } from './proof-signature-cases.js';
import { type RawAnswer, sendRaw, valuesOf } from './raw-http.js';
import { bindingAndRightsCases, tokenClaimCases, tokenForgeryCases } from './token-cases.js';
import { transportCases } from './transport-cases.js';

/** The case table of the API: status and challenge of each code. */
const ANSWERS: Partial<Record<ErrorCode, readonly [status: number, challenges: readonly string[]]>> = {
  unauthenticated: [401, ['DPoP algs="ES256"']],
  'invalid-dpop-proof': [401, ['DPoP algs="ES256", error="invalid_dpop_proof"']],
  'use-dpop-nonce': [401, ['DPoP algs="ES256", error="use_dpop_nonce"']],
  'invalid-token': [401, ['DPoP algs="ES256", error="invalid_token"']],
  'invalid-request': [400, []],
  'unknown-member': [400, []],
  'kid-not-in-token': [403, []],
  'rental-expired': [403, []],
  'rental-not-started': [403, []],
  'payload-too-large': [413, []],
  unavailable: [503, []],
};

const ANSWERED_SECONDS_MAX = 30;
const young = createNonces({ secrets: keyRing().deriveSecrets('dpop-nonce'), lifetimeSeconds: ANSWERED_SECONDS_MAX });
const device = generateDeviceKey();
const stranger = generateDeviceKey();
let bench: Bench & { replica: Replica };

beforeAll(async () => {
  bench = await openBenchWithReplica();
});
afterAll(async () => bench?.close());

function sceneOf(tokenKind: Scene['tokenKind']): Scene {
  return newScene({ device, stranger, signingKey: bench.signingKey, nonce: young.issue(nowSeconds()), tokenKind });
}

async function send(scene: Scene, change: RequestChange): Promise<RawAnswer & { draft: Draft }> {
  const draft = await draftRequest(scene, change);
  return { ...(await sendRaw(bench.replica.url, draft)), draft };
}

/** What was refused so far, by code, stage and reason, as the metric has it. */
async function refusals(): Promise<Map<string, number>> {
  const metric = await bench.replica.metrics.registry.getSingleMetric('latchkey_licenses_denied_total')!.get();
  return new Map(metric.values.map(({ labels, value }) => [`${labels['code']} ${labels['stage']} ${labels['reason']}`, value]));
}

/** What every answer of the route has, whatever it says: a nonce that is good, once, and no place in caches. */
function expectEquipped(answer: RawAnswer): void {
  expect(valuesOf(answer, 'dpop-nonce')).toHaveLength(1);
  expect(young.isFresh(valuesOf(answer, 'dpop-nonce')[0]!, nowSeconds())).toBe(true);
  expect(valuesOf(answer, 'cache-control')).toEqual(['no-store']);
}

function expectRefused(answer: RawAnswer & { draft: Draft }, code: ErrorCode): void {
  const [status, challenges] = ANSWERS[code]!;
  const problem = JSON.parse(answer.text) as Record<string, unknown>;
  expect([answer.status, problem['code'], problem['status']]).toEqual([status, code, status]);
  expect(valuesOf(answer, 'www-authenticate')).toEqual(challenges);
  expect(valuesOf(answer, 'content-type')).toEqual([expect.stringMatching(/^application\/problem\+json(?:;|$)/)]);
  expect(valuesOf(answer, 'retry-after')).toEqual(status === 503 ? ['1'] : []);
  for (const key of [CONTENT_KEY.toString('base64url'), CONTENT_KEY.toString('hex')]) expect(answer.text).not.toContain(key);
  expectEquipped(answer);
}

function expectGranted(answer: RawAnswer): void {
  expect([answer.status, answer.text.includes('"k":')]).toEqual([200, true]);
  expectEquipped(answer);
}

const families: Readonly<Record<string, readonly HostileCase[]>> = {
  'how credentials are sent': transportCases,
  'the form of a proof': proofFormCases,
  'the key of a proof': proofKeyCases,
  'the signature of a proof': proofSignatureCases,
  'the claims of a proof': proofClaimCases,
  'the nonce of a proof': nonceCases,
  'the form and signature of a token': tokenForgeryCases,
  'the claims of a token': tokenClaimCases,
  'whose a token is, and for what': bindingAndRightsCases,
  'the body': bodyCases,
};

describe.each(Object.entries(families))('%s', (_, cases) => {
  it.each(cases.map((each) => [each.name, each.refusal?.reason ?? 'edge', each] as const))('%s (%s)', async (_name, _reason, { refusal, answer, hostile, twin, tokenKind }) => {
    const scene = sceneOf(tokenKind);
    const before = await refusals();
    const refused = await send(scene, hostile);
    expectRefused(refused, answer);
    const after = await refusals();
    const counted = [...after].filter(([labels, count]) => count !== (before.get(labels) ?? 0));
    const expected = refusal && `${answer} ${refusal.stage} ${refusal.reason}`;
    expect(counted.map(([labels]) => labels)).toEqual(expected === undefined ? [] : [expected]);

    // With the same jti: what was refused has used nothing up.
    expectGranted(await send(scene, twin));
  });
});

describe('what is odd but right is granted', () => {
  it.each(Object.entries(oddButRight))('%s', async (_, change) => {
    expectGranted(await send(sceneOf('content'), change));
  });
});

it('the table is as long as it was meant to be, and no case is there twice', () => {
  const names = Object.entries(families).flatMap(([family, cases]) => cases.map(({ name }) => `${family}: ${name}`));
  expect(names.length).toBeGreaterThanOrEqual(130);
  expect(new Set(names).size).toBe(names.length);
});

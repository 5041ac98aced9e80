import { createNonces, generateDeviceKey } from '@latchkey/crypto';
import type { ErrorCode } from '@latchkey/contracts';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, CONTENT_KEY, keyRing, nowSeconds, openBenchWithReplica, type Replica } from '../bench.js';
import { type Draft, draftRequest, newScene, type RequestChange, type Route, type Scene } from './draft.js';
import type { HostileCase } from './hostile-case.js';
import { type RawAnswer, sendRaw, valuesOf } from './raw-http.js';

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

/** A route under attack: which requests it has to refuse, and how it is seen that it did and that it granted. */
export interface HostileSuite {
  readonly route: Route;
  readonly families: Readonly<Record<string, readonly HostileCase[]>>;
  readonly oddButRight: Readonly<Record<string, RequestChange>>;
  /** Counts refusals by code, stage and reason. */
  readonly refusalsMetric: string;
  /** What stands in the text of every answer that grants. */
  readonly granted: string;
}

/** Runs every case, each beside its twin, against one licence server. */
export function attack({ route, families, oddButRight, refusalsMetric, granted }: HostileSuite): void {
  const device = generateDeviceKey();
  const stranger = generateDeviceKey();
  let bench: Bench & { replica: Replica };

  beforeAll(async () => {
    bench = await openBenchWithReplica();
  });
  afterAll(async () => bench?.close());

  const sceneOf = (tokenKind: Scene['tokenKind']): Scene =>
    newScene({ device, stranger, signingKey: bench.signingKey, nonce: young.issue(nowSeconds()), tokenKind }, route);

  async function send(scene: Scene, change: RequestChange): Promise<RawAnswer & { draft: Draft }> {
    const draft = await draftRequest(scene, change);
    return { ...(await sendRaw(bench.replica.url, draft)), draft };
  }

  /** What was refused so far, by code, stage and reason, as the metric has it. */
  async function refusals(): Promise<Map<string, number>> {
    const metric = await bench.replica.metrics.registry.getSingleMetric(refusalsMetric)!.get();
    return new Map(metric.values.map(({ labels, value }) => [`${labels['code']} ${labels['stage']} ${labels['reason']}`, value]));
  }

  function expectGranted(answer: RawAnswer): void {
    expect([answer.status, answer.text.includes(granted)]).toEqual([200, true]);
    expectEquipped(answer);
  }

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
}

/** What every answer of a route of devices has, whatever it says: a nonce that is good, once, and no place in caches. */
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

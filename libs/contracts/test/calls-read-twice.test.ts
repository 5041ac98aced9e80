import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { z } from 'zod';
import { type OperationContract, operations, vocabulary } from '../src/index.js';
import * as again from './read-again.js';

const SEED = 20_261_123;
const THIRTY_DAYS = 2_592_000;

/** What a call takes as a second reader has it from the description of the API, and one that is good, with every member. */
interface ReadTwice {
  readonly rule: again.Rule;
  readonly good: Readonly<Record<string, unknown>>;
}

const [kid, other] = ['0123456789abcdef0123456789abcdef', 'f'.repeat(32)];
const [at, later] = ['2026-11-23T12:00:00Z', '2027-11-23T12:00:00.5Z'];
const rental = { type: 'rental', availableFrom: at, availableUntil: later, playDurationSeconds: 60 };
const bought = { cookie: 'biscuit', deviceId: 'device', contentId: 'film', kids: [kid, other], rights: rental };
const boughtRules = { cookie: again.cookie, 'deviceId?': again.deviceId, contentId: again.outsideId, kids: again.kids, rights: again.rights };
const reasonAlone: ReadTwice = { rule: again.members({ 'reason?': again.reason }), good: { reason: 'ä reason' } };

const bodies: Readonly<Record<string, ReadTwice>> = {
  createCookie: { rule: again.members({ accountId: again.outsideId, 'ttlSeconds?': again.seconds(THIRTY_DAYS) }), good: { accountId: 'alice', ttlSeconds: 60 } },
  createRegistrationToken: { rule: again.members({ 'cookie?': again.cookie, 'deviceId?': again.deviceId }), good: { cookie: 'biscuit', deviceId: 'device' } },
  storeContentKey: { rule: again.members({ key: again.contentKey, 'contentId?': again.outsideId }), good: { key: other, contentId: 'film' } },
  createPurchase: {
    rule: again.members({ ...boughtRules, purchaseId: again.outsideId, 'completedAt?': again.timestamp }),
    good: { ...bought, purchaseId: 'order-1', completedAt: at },
  },
  createWebhook: {
    rule: again.members({ url: again.webhookUrl, 'eventTypes?': again.eventTypes, 'description?': again.reason }),
    good: { url: 'https://shop.example/hook?a=b', eventTypes: ['token.issued.v1', 'device.revoked.v1'], description: 'ä shop' },
  },
  createRefund: reasonAlone,
  createRevocation: reasonAlone,
  createToken: {
    rule: (body) => {
      const { keys, kids } = (body ?? {}) as { keys?: object; kids: string[] };
      return again.members({ ...boughtRules, 'keys?': again.keys, 'ttlSeconds?': again.seconds(THIRTY_DAYS) })(body) && Object.keys(keys ?? {}).every((each) => kids.includes(each));
    },
    good: { ...bought, keys: { [kid]: other }, ttlSeconds: 60 },
  },
  verifyLicense: {
    rule: (body) => {
      const { drm, deviceId } = (body ?? {}) as Record<string, string>;
      const digits = ({ playready: 32, fairplay: 40 } as Record<string, number>)[drm!];
      const inForm = again.members({ token: again.token, deviceId: again.deviceId, drm: (each) => ['widevine', 'playready', 'fairplay', 'other'].includes(each as string), 'kids?': again.kids, 'confidence?': (each) => ['hardware', 'software', 'unknown'].includes(each as string) });
      return inForm(body) && (digits === undefined || (deviceId!.length === digits && Array.from(deviceId!.toLowerCase()).every((each) => '0123456789abcdef'.includes(each))));
    },
    good: { token: 'a.b.c', deviceId: 'A'.repeat(32), drm: 'playready', kids: [kid], confidence: 'hardware' },
  },
};

/** Parameters by their names, wherever they stand. */
const parameters: Readonly<Record<string, again.Rule>> = {
  cookie: again.cookie,
  'x-latchkey-cookie': again.cookie,
  kid: again.kid,
  purchaseId: again.outsideId,
  accountId: again.outsideId,
  deviceId: again.deviceId,
  'idempotency-key': again.idempotencyKey,
  'last-event-id': again.lastEventId,
  waitSeconds: again.waitSeconds,
  webhookId: again.madeId,
  deliveryId: again.madeId,
  state: again.deliveryState,
  before: again.lastEventId,
  limit: again.pageLimit,
};

const nearlyTime = fc
  .tuple(fc.constantFrom('2026', '0000', '0001', '9999', '10000'), fc.constantFrom('11', '02', '13'), fc.constantFrom('23', '29', '30', '31'), fc.constantFrom('12:00:00', '12:00', '23:59:59', '24:00:00', '12:60:00'), fc.constantFrom('', '.5', '.123456789', '.'), fc.constantFrom('Z', 'z', '+00:00', ''))
  .map(([year, month, day, time, fraction, zone]) => `${year}-${month}-${day}T${time}${fraction}${zone}`);
const text = fc.oneof(
  fc.constantFrom('a', 'biscuit', kid, other, kid.toUpperCase(), `${kid}0`, 'a'.repeat(32), 'a'.repeat(33), 'a'.repeat(128), 'a'.repeat(129), '😀'.repeat(256), '😀'.repeat(257), 'a\n', 'a\u0000', '\ud800', '\u0085', '30', '31', '007', '100', '101', 'pending', 'https://shop.example/', 'https://shop.example:22/', 'http://u@shop.example/', 'https://shop.example/#a', 'token.issued.v1', '9'.repeat(18), '9'.repeat(19), '٣'),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  nearlyTime,
);
const value = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 2, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.constantFrom(0, 1, 2_592_000, 2_592_001, 315_360_000, 315_360_001, 2 ** 53)) },
  { weight: 2, arbitrary: fc.array(fc.constantFrom(kid, other, kid.toUpperCase(), 'x', 'token.issued.v1', 'cookie.issued.v1'), { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constant(Array.from({ length: 33 }, (_, n) => n.toString(16).padStart(32, '0'))) },
  { weight: 1, arbitrary: fc.constantFrom({}, { type: 'purchase' }, { type: 'purchase', availableFrom: at, colour: 1 }, { type: 'rental' }, { [kid]: other }, { [kid]: 'x' }, { ['e'.repeat(32)]: kid }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);

/** A good one in which a few members are left out, or are something else; now and then one more than there should be. */
function nearly(good: Readonly<Record<string, unknown>>): fc.Arbitrary<unknown> {
  const member = (now: unknown): fc.Arbitrary<unknown> =>
    fc.oneof(
      { weight: 8, arbitrary: typeof now === 'object' && now !== null && !Array.isArray(now) ? fc.oneof({ weight: 2, arbitrary: fc.constant(now) }, { weight: 1, arbitrary: nearly(now as Record<string, unknown>) }) : fc.constant(now) },
      { weight: 1, arbitrary: fc.constant(undefined) },
      { weight: 2, arbitrary: value },
    );
  const known = fc.record(Object.fromEntries(Object.entries(good).map(([name, now]) => [name, member(now)])));
  return fc
    .tuple(known, fc.oneof({ weight: 12, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 8 }), fc.jsonValue(), { minKeys: 1, maxKeys: 1 }) }))
    .map(([members, more]) => JSON.parse(JSON.stringify({ ...members, ...more })) as unknown);
}

const merchantCalls = operations.operations.filter(({ security }: OperationContract) => security.kind === 'api-key') as readonly OperationContract[];

describe(`calls of merchants (seed ${SEED})`, () => {
  it('are all read twice here', () => {
    expect(merchantCalls.filter(({ body }) => body).map(({ id }) => id).sort()).toEqual(Object.keys(bodies).sort());
  });

  it.each(Object.entries(bodies))('take the body that a second reading takes, and no other: %s', (id, { rule, good }) => {
    const { body } = merchantCalls.find((operation) => operation.id === id)!;
    const seen = { taken: 0, refused: 0 };
    fc.assert(
      fc.property(fc.oneof({ weight: 10, arbitrary: nearly(good) }, { weight: 1, arbitrary: fc.jsonValue() }), (given) => {
        const { success } = body!.safeParse(given);
        seen[success ? 'taken' : 'refused'] += 1;
        if (success !== rule(given)) throw new Error(`${success ? 'taken' : 'refused'} against the second reading: ${JSON.stringify(given)}`);
      }),
      { seed: SEED, numRuns: 1_000 },
    );
    expect(Math.min(seen.taken, seen.refused)).toBeGreaterThan(20);
  });

  it('take a time that a second reading takes, and no other', () => {
    fc.assert(
      fc.property(fc.oneof(nearlyTime, text), (given) => {
        if (vocabulary.timestamp.safeParse(given).success !== again.timestamp(given)) throw new Error(`read otherwise: ${JSON.stringify(given)}`);
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });

  const declared = merchantCalls.flatMap((operation) =>
    (['params', 'query', 'headers'] as const).flatMap((part) =>
      Object.entries((operation[part]?.shape ?? {}) as Record<string, z.ZodType>).map(([name, schema]) => [`${operation.id}, ${part}: ${name}`, name, schema] as const),
    ),
  );
  it.each(declared)('take the parameter that a second reading takes, and no other: %s', (_, name, schema) => {
    const rule = parameters[name]!;
    fc.assert(
      fc.property(text, (given) => {
        if (schema.safeParse(given).success !== rule(given)) throw new Error(`read otherwise: ${JSON.stringify(given)}`);
      }),
      { seed: SEED, numRuns: 400 },
    );
  });
});

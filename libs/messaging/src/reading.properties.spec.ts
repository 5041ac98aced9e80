import { describe, expect, it } from '@jest/globals';
import { DeviceRegistered, hear, hearCopy, PurchaseCompleted, type Subscription } from '@latchkey/contracts';
import fc from 'fast-check';
import type { RawMessage } from './broker.js';
import { readMessage } from './cloud-event-codec.js';
import { checkoutUsers } from './publisher-check.js';
import { readDelivery } from './reading.js';

const SEED = 20_261_123;
const runs = (numRuns: number) => ({ seed: SEED, numRuns });

const hears: Subscription[] = [hear(PurchaseCompleted, ['merchantId', 'purchaseId']), hear(DeviceRegistered, ['merchantId', 'cookie'])];
const subscriptions = new Map(hears.map((subscription) => [subscription.event.type, subscription]));
const checkouts = checkoutUsers(new Map([['shop', 'default']]));

/** Whatever an AMQP 0-9-1 table may hold, as the client hands it over. */
const amqpValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc.constantFrom('', '\u0000', '\ud800', 'a'.repeat(256), 'a'.repeat(257), '😀'.repeat(256), '1.0', '2026-02-30T00:00:00Z', '2026-11-23T12:00:00+01:00'),
    fc.integer(),
    fc.double(),
    fc.bigInt(),
    fc.boolean(),
    fc.constant(null),
    fc.constant(undefined),
    fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
    fc.record({ '!': fc.constant('timestamp'), value: fc.nat() }),
    fc.record({ '!': fc.constant('decimal'), value: fc.record({ places: fc.nat(255), digits: fc.nat() }) }),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.string({ maxLength: 8 }), tie('value'), { maxKeys: 3 }),
  ),
})).value;

const mostly = <T>(usual: T, ...others: fc.Arbitrary<unknown>[]): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: fc.constant(usual), weight: 6 }, ...others.map((arbitrary) => ({ arbitrary, weight: 1 })));
const absent = fc.constant(undefined);

const attributes = fc.record({
  specversion: mostly('1.0', amqpValue),
  id: mostly('e-1', amqpValue),
  source: mostly('/checkout', amqpValue),
  type: mostly('purchase.completed.v1', amqpValue, fc.constant('device.registered.v1')),
  time: mostly('2026-11-23T12:00:00Z', amqpValue, absent),
  correlationid: mostly(undefined, amqpValue),
  datacontenttype: mostly(undefined, amqpValue, fc.constant('application/json')),
});
const data = fc.oneof(
  { weight: 3, arbitrary: fc.record({ merchantId: mostly('default', fc.jsonValue(), fc.constantFrom('other', 'Default', '')), purchaseId: mostly('order-1', fc.jsonValue(), fc.string({ maxLength: 140 })) }) },
  { weight: 1, arbitrary: fc.jsonValue() },
);
const text = (value: unknown): string => JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? '';
const defined = (record: object): Record<string, unknown> => Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));

interface Form {
  readonly contentType: string | undefined;
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

const binary: fc.Arbitrary<Form> = fc
  .tuple(attributes, fc.dictionary(fc.constantFrom('id', 'type', 'time', 'source', 'ID', 'x y'), amqpValue, { maxKeys: 1 }), fc.constantFrom('_', ':', '_', '.'), data, mostly('application/json', absent, fc.string()))
  .map(([given, again, mark, value, contentType]) => {
    const named = (attribute: object, sign: string) => Object.fromEntries(Object.entries(defined(attribute)).map(([name, one]) => [`cloudEvents${sign}${name}`, one]));
    return { contentType: contentType as string | undefined, headers: { ...named(given, mark), ...named(again, ':') }, body: Buffer.from(text(value)) };
  });
const structured: fc.Arbitrary<Form> = fc.tuple(attributes, data, fc.constantFrom('data', 'data', 'data_base64', 'both'), fc.string({ maxLength: 12 })).map(([given, value, where, noise]) => {
  const base64 = Buffer.from(text(value)).toString('base64');
  const held = where === 'data' ? { data: value } : where === 'both' ? { data: value, data_base64: base64 } : { data_base64: noise.length > 10 ? noise : base64 };
  return { contentType: 'application/cloudevents+json; charset=utf-8', headers: {}, body: Buffer.from(text({ ...defined(given), ...held })) };
});
const garbage: fc.Arbitrary<Form> = fc.record({
  contentType: fc.oneof(fc.constantFrom('application/json', 'application/cloudevents+json'), fc.string()),
  headers: fc.dictionary(fc.string(), amqpValue, { maxKeys: 4 }),
  body: fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
});
const message: fc.Arbitrary<RawMessage> = fc
  .tuple(fc.oneof({ arbitrary: binary, weight: 4 }, { arbitrary: structured, weight: 4 }, { arbitrary: garbage, weight: 1 }), mostly('purchase.completed.v1', fc.string()), mostly('latchkey.events', fc.string()), mostly('checkout-default', absent, fc.constantFrom('shop', 'checkout-other'), fc.string()))
  .map(([form, routingKey, exchange, publisher]) => ({ ...form, routingKey, exchange, publisher, attempt: 1, redelivered: false }) as RawMessage);

/** A second reading of CloudEvents 1.0, made without looking at the first. */
function readAgain({ headers, body, contentType }: RawMessage): { attributes: Map<string, string>; data: unknown } | undefined {
  const isStructured = contentType?.toLowerCase().startsWith('application/cloudevents+json');
  const json = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  const pairs = isStructured ? Object.entries(json) : Object.entries(headers).filter(([name]) => name.startsWith('cloudEvents')).map(([name, value]) => [name.slice('cloudEvents'.length + 1), value] as const);
  const found = new Map<string, string>();
  for (const name of ['specversion', 'id', 'source', 'type', 'time', 'correlationid']) {
    const values = pairs.filter(([each]) => each === name).map(([, value]) => value);
    if (values.length === 0 && (name === 'time' || name === 'correlationid')) continue;
    if (values.length === 0 || values.some((value) => value !== values[0]) || !isAttribute(values[0])) return undefined;
    found.set(name, values[0]);
  }
  if (found.get('specversion') !== '1.0' || (found.has('time') && Number.isNaN(Date.parse(found.get('time')!)))) return undefined;
  if (!isStructured) return { attributes: found, data: json };
  return { attributes: found, data: 'data_base64' in json ? JSON.parse(Buffer.from(String(json['data_base64']), 'base64').toString()) : json['data'] };
}

function isAttribute(value: unknown): value is string {
  if (typeof value !== 'string') return false;
  const points = Array.from(value, (character) => character.codePointAt(0)!);
  return points.length >= 1 && points.length <= 256 && points.every((point) => point > 0x1f && !(point >= 0x7f && point <= 0x9f) && !(point >= 0xd800 && point <= 0xdfff));
}

describe(`reading what anybody may publish (seed ${SEED})`, () => {
  it('never throws, and finds what a second reading finds wherever it finds an event', () => {
    const seen = { read: 0, refused: 0 };
    fc.assert(
      fc.property(message, (given) => {
        const read = readMessage(given);
        seen[read.ok ? 'read' : 'refused'] += 1;
        if (!read.ok) return expect(read.reason).toMatch(/^[a-zA-Z0-9 ,:_-]{1,200}$/);
        const { data: found, ...rest } = read.event;
        const again = readAgain(given);
        expect([new Map(Object.entries(rest)), found]).toEqual([again?.attributes, again?.data]);
      }),
      runs(1_500),
    );
    expect(Math.min(seen.read, seen.refused)).toBeGreaterThan(150);
  });

  it('believes no purchase but one of the merchant whose broker user published it, under its own routing key', () => {
    let believed = 0;
    fc.assert(
      fc.property(message, (given) => {
        const reading = readDelivery(given, 'token-issuer', subscriptions, checkouts);
        if (!reading.ok) return;
        believed += 1;
        const again = readAgain(given)!;
        expect([given.exchange, given.routingKey]).toEqual(['latchkey.events', again.attributes.get('type')]);
        const { merchantId, purchaseId } = again.data as Record<string, unknown>;
        expect(given.publisher === 'shop' ? 'default' : given.publisher?.replace('checkout-', '')).toBe(merchantId);
        expect(Array.from(String(purchaseId)).every((character) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-'.includes(character))).toBe(true);
        expect([typeof purchaseId, String(purchaseId).length >= 1 && String(purchaseId).length <= 128]).toEqual(['string', true]);
      }),
      runs(1_500),
    );
    expect(believed).toBeGreaterThan(50);
  });

  it('believes what was passed on to the service, unlike what anybody may publish, only as a copy for it', () => {
    const heardAsCopy: Subscription = hearCopy(PurchaseCompleted, ['merchantId', 'purchaseId']);
    const copies = new Map([[heardAsCopy.event.type, heardAsCopy]]);
    const address = fc.constantFrom(['latchkey.copies', 'gateway.purchase.completed.v1'], ['latchkey.events', 'purchase.completed.v1'], ['latchkey.copies', 'cookie.purchase.completed.v1'], ['latchkey.events', 'gateway.purchase.completed.v1']);
    let believed = 0;
    fc.assert(
      fc.property(message, address, (given, [exchange, routingKey]) => {
        const reading = readDelivery({ ...given, exchange: exchange, routingKey: routingKey }, 'gateway', copies, checkouts);
        if (!reading.ok) return;
        believed += 1;
        expect([exchange, routingKey]).toEqual(['latchkey.copies', 'gateway.purchase.completed.v1']);
      }),
      runs(1_500),
    );
    expect(believed).toBeGreaterThan(25);
  });
});

import { describe, expect, it } from '@jest/globals';
import { MESSAGE_BYTES_MAX, PurchaseCompleted, PurchaseRefunded } from '@latchkey/contracts';
import { completedEvent, refundedEvent } from './purchase-event.js';
import type { CompletedPurchase } from './purchases.js';

const origin = { merchantId: 'acme', source: '/checkout' };
const now = new Date('2026-11-24T12:00:00.000Z');
const [kid, otherKid] = ['a'.repeat(32), 'b'.repeat(32)];
const purchase: CompletedPurchase = {
  purchaseId: 'order-1',
  cookie: 'Xq3mJ7dEwq0VvZ8n1yH2tA',
  contentId: 'film-42',
  kids: [kid, otherKid],
  rights: { type: 'purchase' },
  completedAt: '2026-11-24T11:00:00Z',
};
const refund = { purchaseId: 'order-1', reason: 'changed her mind' };

describe('a purchase that can be published', () => {
  it('becomes the event of the contract, in binary mode', async () => {
    const { id, type, headers, body } = await completedEvent(origin, purchase, undefined, now);
    expect(type).toBe('purchase.completed.v1');
    expect(headers).toEqual({
      cloudEvents_specversion: '1.0',
      cloudEvents_id: id,
      cloudEvents_source: '/checkout',
      cloudEvents_type: 'purchase.completed.v1',
      cloudEvents_time: '2026-11-24T12:00:00.000Z',
    });
    const data: unknown = JSON.parse(body.toString('utf8'));
    expect(data).toEqual({ merchantId: 'acme', ...purchase });
    expect(PurchaseCompleted.schema.safeParse(data).success).toBe(true);
  });

  it('has now for its time unless it says another, as a refund has', async () => {
    const { completedAt: _, ...untimed } = purchase;
    expect(JSON.parse((await completedEvent(origin, untimed, undefined, now)).body.toString('utf8'))).toMatchObject({ completedAt: now.toISOString() });
    const data: unknown = JSON.parse((await refundedEvent(origin, refund, undefined, now)).body.toString('utf8'));
    expect(data).toEqual({ merchantId: 'acme', ...refund, refundedAt: now.toISOString() });
    expect(PurchaseRefunded.schema.safeParse(data).success).toBe(true);
  });

  it('keeps the id that is given', async () => {
    const event = await completedEvent(origin, purchase, 'outbox-7', now);
    expect([event.id, event.headers['cloudEvents_id']]).toEqual(['outbox-7', 'outbox-7']);
  });
});

describe('the id of an event that was given none', () => {
  const idOf = async (change: Partial<CompletedPurchase>, from = origin): Promise<string> =>
    (await completedEvent(from, { ...purchase, ...change }, undefined, new Date())).id;

  it.each<[string, Partial<CompletedPurchase>]>([
    ['again', {}],
    ['at another time', { completedAt: '2026-11-24T13:00:00Z' }],
    ['its kids in another order', { kids: [otherKid, kid] }],
  ])('is the same for the same purchase: %s', async (_, change) => {
    expect(await idOf(change)).toBe(await idOf({}));
  });

  it.each<[string, Partial<CompletedPurchase>]>([
    ['purchase', { purchaseId: 'order-2' }],
    ['cookie', { cookie: 'another' }],
    ['device', { deviceId: 'one' }],
    ['content', { contentId: 'film-43' }],
    ['keys', { kids: [kid] }],
    ['rights', { rights: { type: 'rental', availableUntil: '2026-12-24T12:00:00Z', playDurationSeconds: 60 } }],
  ])('is another for another %s, so that a contradiction is not taken for a repeat', async (_, change) => {
    expect(await idOf(change)).not.toBe(await idOf({}));
  });

  it('is another for a refund and for another merchant', async () => {
    expect((await refundedEvent(origin, { purchaseId: 'order-1' }, undefined, now)).id).not.toBe(await idOf({}));
    expect(await idOf({}, { ...origin, merchantId: 'other' })).not.toBe(await idOf({}));
  });
});

describe('what cannot be published', () => {
  it.each<[string, object, string]>([
    ['a member too many, which would be ignored', { deviceID: 'one' }, '(all of it)'],
    ['a merchant of its own', { merchantId: 'acme' }, '(all of it)'],
    ['a member too many in its rights', { rights: { type: 'purchase', until: '2027' } }, 'rights'],
    ['no cookie', { cookie: undefined }, 'cookie'],
    ['an empty list of kids', { kids: [] }, 'kids'],
    ['a kid twice', { kids: [kid, kid] }, 'kids'],
    ['a kid in capitals', { kids: [kid, kid.toUpperCase()] }, 'kids.1'],
    ['a time with an offset', { completedAt: '2026-11-24T12:00:00+01:00' }, 'completedAt'],
    ['a window that closes before it opens', { rights: { type: 'rental', availableFrom: '2027-01-01T00:00:00Z', availableUntil: '2026-01-01T00:00:00Z', playDurationSeconds: 1 } }, 'rights.availableFrom'],
  ])('%s', async (_, change, path) => {
    await expect(completedEvent(origin, { ...purchase, ...change }, undefined, now)).rejects.toMatchObject({
      name: 'CheckoutError',
      code: 'invalid-event',
      problems: [{ path }],
    });
  });

  it.each([['empty', ''], ['on two lines', 'a\nb'], ['over 256 characters', 'x'.repeat(257)], ['over AMQP’s 255 bytes', 'ü'.repeat(128)]])('an id that is %s', async (_, id) => {
    await expect(completedEvent(origin, purchase, id, now)).rejects.toMatchObject({ code: 'invalid-event', problems: [{ path: 'id' }] });
  });

  it('is told with everything that is wrong, and shows nothing of it', async () => {
    const wrong = { ...purchase, cookie: 'secret value', kids: ['x'], rights: { type: 'gift' } } as never;
    const error: unknown = await completedEvent(origin, wrong, '', now).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ problems: [{ path: 'cookie' }, { path: 'kids.0' }, { path: 'rights.type' }, { path: 'id' }] });
    expect(String(error)).toMatch(/^CheckoutError: the purchase cannot be published: cookie: must be /);
    expect(String(error)).not.toContain('secret value');
  });
});

it('nothing that passes is over the 256 KiB that Latchkey takes', async () => {
  const many = Array.from({ length: 32 }, (_, n) => n.toString(16).padStart(32, '0'));
  const rights = { type: 'rental', availableFrom: '2026-01-01T00:00:00Z', availableUntil: '2027-01-01T00:00:00Z', playDurationSeconds: 1 } as const;
  const largest = { ...purchase, purchaseId: 'x'.repeat(128), deviceId: '"'.repeat(128), contentId: 'x'.repeat(128), kids: many, rights };
  const events = [completedEvent(origin, largest, undefined, now), refundedEvent(origin, { purchaseId: 'x'.repeat(128), reason: '\0'.repeat(4096) }, undefined, now)];
  for (const { body } of await Promise.all(events)) expect(body.length).toBeLessThan(MESSAGE_BYTES_MAX / 4);
});

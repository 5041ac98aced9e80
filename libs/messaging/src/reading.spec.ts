import { describe, expect, it } from '@jest/globals';
import { DeviceRegistered, DeviceRevoked, type EventContract, hear, hearCopy, PurchaseCompleted, PurchaseRefunded, type Subscription } from '@latchkey/contracts';
import type { RawMessage } from './broker.js';
import { toMessage } from './cloud-event-codec.js';
import { checkoutUsers } from './publisher-check.js';
import { readDelivery } from './reading.js';

const hears: Subscription[] = [hear(PurchaseCompleted, ['merchantId', 'purchaseId']), hear(DeviceRegistered, ['merchantId', 'cookie']), hearCopy(DeviceRevoked, ['deviceId']), hearCopy(PurchaseRefunded, ['purchaseId'])];
const subscriptions = new Map(hears.map((subscription) => [subscription.event.type, subscription]));
const checkouts = checkoutUsers(new Map([['shop', 'default']]));
const read = (message: RawMessage) => readDelivery(message, 'token-issuer', subscriptions, checkouts);

function message(event: EventContract, change: Partial<RawMessage> & { data?: unknown } = {}): RawMessage {
  const { data = event.example, ...rest } = change;
  const { body, contentType, headers } = toMessage({ specversion: '1.0', id: '1', source: '/x', type: event.type, data });
  return { body, contentType, headers, exchange: 'latchkey.events', routingKey: event.type, publisher: undefined, attempt: 1, redelivered: false, ...rest };
}
const purchase = (change: Parameters<typeof message>[1] = {}): RawMessage => message(PurchaseCompleted, { publisher: 'checkout-default', ...change });

describe('readDelivery', () => {
  it('hands over the fields that the service uses', () => {
    expect(read(message(DeviceRegistered as never))).toMatchObject({
      ok: true,
      type: 'device.registered.v1',
      event: { data: { merchantId: 'default', cookie: DeviceRegistered.example.cookie } },
    });
  });

  it('refuses an event inside another routing key: the broker checks keys, not headers', () => {
    expect(read(message(DeviceRegistered as never, { routingKey: 'purchase.completed.v1' }))).toEqual({ ok: false, reason: expect.stringMatching(/routing key/) });
  });

  it('refuses what came into the queue by another way than the exchange of events', () => {
    for (const exchange of ['', 'token-issuer.retry', 'amq.topic', 'latchkey.copies']) {
      expect(read(message(DeviceRegistered as never, { exchange }))).toEqual({ ok: false, reason: 'it was not published to latchkey.events' });
    }
  });

  it('takes a copy that was addressed to the service, and no other publication of it', () => {
    const copy = { exchange: 'latchkey.copies', routingKey: 'token-issuer.device.revoked.v1' };
    expect(read(message(DeviceRevoked as never, copy))).toMatchObject({ ok: true, type: 'device.revoked.v1' });
    for (const other of [{ exchange: 'latchkey.events' }, { routingKey: 'gateway.device.revoked.v1' }, { routingKey: 'token-issuer.purchase.refunded.v1' }, { routingKey: 'device.revoked.v1' }]) {
      expect(read(message(DeviceRevoked as never, { ...copy, ...other })).ok).toBe(false);
    }
  });

  it('believes what another service passes on, which has checked whose it is', () => {
    const copy = { exchange: 'latchkey.copies', routingKey: 'token-issuer.purchase.refunded.v1', publisher: undefined };
    expect(read(message(PurchaseRefunded as never, copy))).toMatchObject({ ok: true, event: { source: '/x' } });
  });

  it('leaves an unknown type that came by a binding to a newer replica, and refuses one that came by other means', () => {
    const unknown = message({ ...DeviceRegistered, type: 'device.polished.v1' });
    expect(read(unknown)).toEqual({ ok: false, retry: true, reason: expect.stringMatching(/this version/) });
    for (const published of [{ exchange: '' }, { exchange: 'latchkey.copies' }, { routingKey: 'device.registered.v1' }]) {
      expect(read({ ...unknown, ...published })).toEqual({ ok: false, reason: expect.stringMatching(/does not consume/) });
    }
  });

  it('names the broken fields and never their values', () => {
    const reading = read(purchase({ data: { ...PurchaseCompleted.example, purchaseId: 'no secrets here!' } }));
    expect(reading).toEqual({ ok: false, reason: 'the data breaks the schema at /purchaseId' });
  });

  it('keeps the events of two merchants apart, though both call their checkout the same and use the same ids', () => {
    const sourceOf = (merchantId: string) => read(purchase({ publisher: `checkout-${merchantId}`, data: { ...PurchaseCompleted.example, merchantId } }));
    const [one, other] = [sourceOf('default'), sourceOf('other')];
    expect([one.ok, other.ok]).toEqual([true, true]);
    expect(one).toMatchObject({ event: { id: '1', source: '/checkout/default#/x' } });
    expect(other).toMatchObject({ event: { id: '1', source: '/checkout/other#/x' } });
  });

  it.each([
    ['its own checkout', 'checkout-default', true],
    ['a user that the operator named', 'shop', true],
    ['nobody', undefined, false],
    ['another merchant’s checkout', 'checkout-other', false],
    ['a service', 'gateway', false],
    ['a user without a merchant', 'checkout-', false],
  ])('believes a purchase that %s published: %s', (_, publisher, believed) => {
    expect(read(purchase({ publisher })).ok).toBe(believed);
  });
});

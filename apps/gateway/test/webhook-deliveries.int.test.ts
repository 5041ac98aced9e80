import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type DeliveryView, DeviceRegistered, DeviceRevoked, PurchaseRejected, TokenIssued, type WebhookView } from '@latchkey/contracts';
import { newWebhookSecret } from '@latchkey/crypto';
import { eventually } from '@latchkey/kits';
import { WebhookVerificationError } from 'standardwebhooks';
import { PLACES_OF_ONE } from '../src/webhooks/sending-places.js';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';
import { type Answering, answering, verified, WebhookReceiver } from './webhook-receiver.js';

const gateway = new GatewayUnderTest({ LATCHKEY_WEBHOOK_ALLOW_PRIVATE: 'loopback', LATCHKEY_WEBHOOK_TIMEOUT_SECONDS: '1' });
const receivers: WebhookReceiver[] = [];
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
afterEach(async () => {
  await sql('delete from webhooks');
  await Promise.all(receivers.splice(0).map((receiver) => receiver.stop()));
});

const sql = <Row>(text: string, parameters: unknown[] = []): Promise<Row[]> => gateway.replica.dataSource.query<Row[]>(text, parameters);

/** A receiver that listens, and a webhook of the merchant to it. */
async function hook(body: object = {}, key?: string): Promise<{ receiver: WebhookReceiver; webhookId: string; secret: string }> {
  const receiver = await WebhookReceiver.start();
  receivers.push(receiver);
  const response = await gateway.call('POST', '/v1/webhooks', { body: { url: receiver.url, ...body }, key });
  expect(response.status).toBe(201);
  return { receiver, ...((await response.json()) as { webhookId: string; secret: string }) };
}

let last = 0;
/** Says so many events; resolves to what they are known by. */
async function say(count = 1, merchantId = 'default'): Promise<string[]> {
  const names = Array.from({ length: count }, () => `device-${(last += 1)}`);
  for (const deviceId of names) await gateway.say(DeviceRegistered, { merchantId, deviceId });
  return names;
}

async function get<T>(path: string): Promise<T> {
  const response = await gateway.call('GET', path);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}
const deliveriesOf = async (webhookId: string, query = ''): Promise<DeliveryView[]> => (await get<{ deliveries: DeliveryView[] }>(`/v1/webhooks/${webhookId}/deliveries${query}`)).deliveries;
const show = (webhookId: string): Promise<WebhookView> => get(`/v1/webhooks/${webhookId}`);
/** Waits until the newest delivery is like this. */
const newest = (webhookId: string, like: Partial<DeliveryView>): Promise<DeliveryView> =>
  eventually(async () => {
    const [delivery] = await deliveriesOf(webhookId);
    expect(delivery).toMatchObject(like);
    return delivery!;
  });
/** Lets the time until the next attempt pass. */
const due = (webhookId: string): Promise<unknown> => sql('update webhook_deliveries set due_at = clock_timestamp() where webhook_id = $1', [webhookId]);
const redeliver = (webhookId: string, deliveryId: string): Promise<Response> => gateway.call('POST', `/v1/webhooks/${webhookId}/deliveries/${deliveryId}/redeliver`);

describe('an event', () => {
  it('is delivered once, signed, as it was said', async () => {
    const { receiver, webhookId, secret } = await hook();
    await gateway.say(TokenIssued);
    const delivery = await newest(webhookId, { state: 'delivered', attempts: 1, lastStatus: 204, type: TokenIssued.type });
    expect(receiver.received).toHaveLength(1);
    const [message] = receiver.received;
    expect(verified(secret, message!)).toEqual({ type: TokenIssued.type, timestamp: expect.stringMatching(/^\d{4}-.*Z$/), data: TokenIssued.example });
    expect(message!.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': delivery.deliveryId });
    expect(() => verified(newWebhookSecret(), message!)).toThrow(WebhookVerificationError);
    expect(delivery).not.toHaveProperty('nextAttemptAt');
    expect(delivery.deliveredAt).toBeDefined();
    // Nothing more comes in the time in which a second attempt would have been made.
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(1);
  });

  it('goes to the webhooks that were made for its type, and is told with the time at which it happened', async () => {
    const [all, chosen] = [await hook(), await hook({ eventTypes: [DeviceRevoked.type, PurchaseRejected.type] })];
    const time = '2026-11-24T13:00:00.5+02:00';
    await gateway.broker.publish([{ specversion: '1.0', id: crypto.randomUUID(), source: '/test', type: PurchaseRejected.type, time, data: PurchaseRejected.example }]);
    await say();
    await gateway.say(DeviceRevoked);
    await eventually(() => expect([all.receiver.received.length, chosen.receiver.received.length]).toEqual([3, 2]));
    const told = chosen.receiver.received.map((message) => verified(chosen.secret, message) as { type: string; timestamp: string });
    expect(told.map(({ type }) => type).sort()).toEqual([DeviceRevoked.type, PurchaseRejected.type]);
    expect(told.find(({ type }) => type === PurchaseRejected.type)!.timestamp).toBe('2026-11-24T11:00:00.500Z');
  });

  it('goes to its own merchant alone, under the id that the stream has', async () => {
    const key = await gateway.makeKey('other');
    const [mine, theirs] = [await hook(), await hook({}, key)];
    const [ours] = await say();
    await say(1, 'other');
    await eventually(() => expect([mine.receiver.all('merchantId'), theirs.receiver.all('merchantId')]).toEqual([['default'], ['other']]));
    const { eventId } = await newest(mine.webhookId, { state: 'delivered' });
    const [event] = await sql<{ data: string }>('select data from feed_events where sequence = $1', [eventId]);
    expect((JSON.parse(event!.data) as { deviceId: string }).deviceId).toBe(ours);
  });
});

describe('an attempt that is not taken', () => {
  it.each<[string, (receiver: WebhookReceiver) => Answering, Partial<DeliveryView>]>([
    ['an error', () => answering(500), { lastStatus: 500, lastFailure: 'answer' }],
    ['a redirect', ({ url }) => answering(307, { location: url }), { lastStatus: 307, lastFailure: 'redirect' }],
    ['silence', () => () => undefined, { lastFailure: 'timeout' }],
  ])('is made again after %s, under the same id and with the same body', async (_, answerOf, failure) => {
    const { receiver, webhookId, secret } = await hook();
    receiver.answer = answerOf(receiver);
    await say();
    const pending = await newest(webhookId, { state: 'pending', attempts: 1, ...failure });
    expect(Date.parse(pending.nextAttemptAt!) - Date.parse(pending.lastAttemptAt!)).toBeGreaterThanOrEqual(5_000);
    expect(await show(webhookId)).toMatchObject({ state: 'failing', failingSince: expect.any(String) });
    receiver.answer = answering(200);
    await due(webhookId);
    await newest(webhookId, { state: 'delivered', attempts: 2, lastStatus: 200 });
    expect(receiver.received).toHaveLength(2);
    const [first, second] = receiver.received;
    expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
    expect(verified(secret, second!)).toEqual(verified(secret, first!));
    expect(await show(webhookId)).not.toHaveProperty('failingSince');
  });

  it('is made again after a refused connection', async () => {
    const { receiver, webhookId } = await hook();
    await receivers.pop()!.stop();
    await say();
    await newest(webhookId, { state: 'pending', attempts: 1, lastFailure: 'connection' });
    expect(receiver.received).toEqual([]);
  });

  it('is made later where the receiver asks for that', async () => {
    const { receiver, webhookId } = await hook();
    receiver.answer = answering(429, { 'retry-after': '3600' });
    await say();
    const { nextAttemptAt } = await newest(webhookId, { state: 'pending', lastStatus: 429 });
    expect(Date.parse(nextAttemptAt!) - Date.now()).toBeGreaterThan(3_500_000);
  });

  it('is the last of ten; then the delivery can be asked for again', async () => {
    const { receiver, webhookId } = await hook();
    receiver.answer = answering(500);
    await say();
    await newest(webhookId, { attempts: 1 });
    await sql('update webhook_deliveries set series_attempts = 9, attempts = 9 where webhook_id = $1', [webhookId]);
    await due(webhookId);
    const failed = await newest(webhookId, { state: 'failed', attempts: 10 });
    expect(failed).not.toHaveProperty('nextAttemptAt');
    expect(await deliveriesOf(webhookId, '?state=pending')).toEqual([]);
    const asked = await redeliver(webhookId, failed.deliveryId);
    expect(asked.status).toBe(202);
    expect(await asked.json()).toMatchObject({ state: 'pending', deliveryId: failed.deliveryId });
    // Tried as often as a new one: it fails, and waits.
    await newest(webhookId, { state: 'pending', attempts: 11 });
  });

  it('is the last where the receiver is gone, until a redelivery is taken', async () => {
    const { receiver, webhookId } = await hook();
    receiver.answer = answering(410);
    await say();
    const gone = await newest(webhookId, { state: 'failed', attempts: 1, lastFailure: 'gone' });
    expect(await show(webhookId)).toMatchObject({ state: 'disabled' });
    await say();
    await new Promise((resolve) => setTimeout(resolve, 700));
    expect(receiver.received).toHaveLength(1);
    receiver.answer = answering(200);
    await redeliver(webhookId, gone.deliveryId);
    await newest(webhookId, { state: 'delivered', deliveryId: gone.deliveryId });
    expect(await show(webhookId)).toMatchObject({ state: 'active' });
    const [back] = await say();
    await eventually(() => expect(receiver.all('deviceId').at(-1)).toBe(back));
  });
});

describe('a delivery', () => {
  it('is sent again on demand, under the same id', async () => {
    const { receiver, webhookId, secret } = await hook();
    await say();
    const { deliveryId } = await newest(webhookId, { state: 'delivered' });
    expect((await redeliver(webhookId, deliveryId)).status).toBe(202);
    await newest(webhookId, { state: 'delivered', attempts: 2 });
    expect(receiver.ids).toEqual([deliveryId, deliveryId]);
    expect(verified(secret, receiver.received[1]!)).toEqual(verified(secret, receiver.received[0]!));
  });

  it('is found under its own webhook alone', async () => {
    const [one, other] = [await hook(), await hook({ eventTypes: [DeviceRevoked.type] })];
    await say();
    const { deliveryId } = await newest(one.webhookId, { state: 'delivered' });
    for (const id of [deliveryId, 'msg_nobody']) expect(await refusalOf(await redeliver(other.webhookId, id))).toEqual({ status: 404, code: 'delivery-unknown' });
  });

  it('is listed, newest first, a page at a time', async () => {
    const { receiver, webhookId } = await hook();
    await say(7);
    await eventually(() => expect(receiver.received).toHaveLength(7));
    const pages: DeliveryView[][] = [];
    for (let before = '', more = true; more; before = `&before=${pages.at(-1)!.at(-1)!.eventId}`) {
      const page = await get<{ deliveries: DeliveryView[]; more: boolean }>(`/v1/webhooks/${webhookId}/deliveries?limit=3${before}`);
      pages.push(page.deliveries);
      more = page.more;
    }
    expect(pages.map(({ length }) => length)).toEqual([3, 3, 1]);
    const ids = pages.flat().map(({ eventId }) => Number(eventId));
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(new Set(ids).size).toBe(7);
  });

  it('is signed by the new secret and by the one before, as long as that is good', async () => {
    const { receiver, webhookId, secret } = await hook();
    const rotated = (await (await gateway.call('POST', `/v1/webhooks/${webhookId}/secret`)).json()) as { secret: string };
    await say();
    await eventually(() => expect(receiver.received).toHaveLength(1));
    for (const known of [secret, rotated.secret]) expect(verified(known, receiver.received[0]!)).toMatchObject({ type: DeviceRegistered.type });
    await sql(`update webhooks set previous_secret_until = clock_timestamp() - interval '1 second'`);
    await say();
    await eventually(() => expect(receiver.received).toHaveLength(2));
    expect(verified(rotated.secret, receiver.received[1]!)).toMatchObject({ type: DeviceRegistered.type });
    expect(() => verified(secret, receiver.received[1]!)).toThrow(WebhookVerificationError);
  });
});

describe('a receiver that lets us wait', () => {
  it('has few attempts under way, and delays nobody else', async () => {
    const [slow, quick] = [await hook(), await hook()];
    slow.receiver.answer = () => undefined;
    const said = await say(60);
    await eventually(() => expect(new Set(quick.receiver.all('deviceId'))).toEqual(new Set(said)), { timeoutMs: 5_000 });
    expect(slow.receiver.concurrentMax).toBeLessThanOrEqual(PLACES_OF_ONE);
    expect(slow.receiver.concurrentMax).toBeGreaterThan(1);
    // From when it is known to fail, one at a time.
    await eventually(() => expect(slow.receiver.received.length).toBeGreaterThan(PLACES_OF_ONE));
    slow.receiver.concurrentMax = 0;
    await eventually(() => expect(slow.receiver.received.length).toBeGreaterThan(PLACES_OF_ONE + 2));
    expect(slow.receiver.concurrentMax).toBe(1);
  });
});

describe('two replicas', () => {
  it('deliver each event once', async () => {
    const second = await gateway.startReplica();
    try {
      const { receiver } = await hook();
      const said = await say(100);
      await eventually(() => expect(receiver.received.length).toBeGreaterThanOrEqual(100), { timeoutMs: 20_000 });
      await new Promise((resolve) => setTimeout(resolve, 700));
      expect(receiver.all('deviceId').sort()).toEqual([...said].sort());
      expect(new Set(receiver.ids).size).toBe(100);
    } finally {
      await gateway.stopReplica(second);
    }
  });

  it('take over from one that died, when its lease is over and not before', async () => {
    const { receiver, webhookId } = await hook();
    receiver.answer = answering(500);
    await say();
    await newest(webhookId, { attempts: 1 });
    receiver.answer = answering(200);
    // As somebody left it who was killed in the middle of an attempt.
    await sql(`update webhook_deliveries set due_at = clock_timestamp(), lease_id = gen_random_uuid(), leased_until = clock_timestamp() + interval '1 hour' where webhook_id = $1`, [webhookId]);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    expect(receiver.received).toHaveLength(1);
    await sql('update webhook_deliveries set leased_until = clock_timestamp() where webhook_id = $1', [webhookId]);
    await newest(webhookId, { state: 'delivered', attempts: 2 });
  });

  it('are not kept from stopping by a receiver, and lose nothing', async () => {
    const second = await gateway.startReplica({ LATCHKEY_WEBHOOK_TIMEOUT_SECONDS: '30' });
    const { receiver, webhookId } = await hook();
    receiver.answer = () => undefined;
    await say(20);
    await eventually(() => expect(receiver.received.length).toBeGreaterThan(8));
    const startedMs = performance.now();
    await gateway.stopReplica(second);
    expect(performance.now() - startedMs).toBeLessThan(6_000);
    receiver.answer = answering(200);
    await eventually(async () => {
      await due(webhookId);
      expect(await deliveriesOf(webhookId, '?state=delivered')).toHaveLength(20);
    }, { timeoutMs: 15_000, intervalMs: 200 });
  });
});

describe('what an operator sees', () => {
  it('are counts, and what waits', async () => {
    const { receiver, webhookId } = await hook();
    await say();
    await newest(webhookId, { state: 'delivered' });
    receiver.answer = answering(500);
    await say();
    await newest(webhookId, { state: 'pending', attempts: 1 });
    const metrics = await eventually(async () => {
      const text = await (await gateway.call('GET', '/metrics')).text();
      expect(text).toMatch(/latchkey_webhooks\{state="failing"\} 1/);
      return text;
    });
    expect(metrics).toMatch(/latchkey_webhook_attempts_total\{outcome="taken"\} [1-9]/);
    expect(metrics).toMatch(/latchkey_webhook_attempts_total\{outcome="answer"\} [1-9]/);
    expect(metrics).toMatch(/latchkey_webhook_deliveries_total\{outcome="delivered"\} [1-9]/);
    expect(metrics).toMatch(/latchkey_webhook_due_deliveries \d/);
    expect(metrics).toMatch(/latchkey_webhook_oldest_due_seconds \d/);
    for (const secret of [webhookId, 'merchant=secret', String(receiver.port)]) expect(metrics).not.toContain(secret);
  });
});

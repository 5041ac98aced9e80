import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { type CheckoutClient, type CompletedPurchase, connectCheckout } from '@latchkey/checkout-sdk';
import { Checkout, describeWithRabbit, eventually, FakeDevice } from '@latchkey/kits';
import { Client } from 'pg';
import { Distributed } from './distributed.js';
import { hex, type Merchant } from './merchant.js';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(240_000);

type Purchase = CompletedPurchase & { merchantId: string };

describeWithRabbit('the services on RabbitMQ, two replicas each, with a checkout that knows only AMQP', () => {
  let latchkey: Distributed;
  let merchant: Merchant;
  let shop: CheckoutClient;
  /** For messages that a checkout with the SDK cannot send. */
  let checkout: Checkout;
  let kid: string;

  beforeAll(async () => {
    latchkey = await Distributed.start(2);
    merchant = latchkey.merchant();
    const { kid: stored } = await merchant.contentKey();
    kid = stored;
    shop = await connectCheckout({ url: latchkey.checkoutAmqpUrl, merchantId: 'default' });
    checkout = await Checkout.connect(latchkey.checkoutAmqpUrl);
  }, 180_000);
  afterAll(async () => {
    await shop?.close();
    await checkout?.close();
    await latchkey?.remove();
  }, 60_000);

  const purchaseOf = (cookie: string, change: Partial<Purchase> = {}): Purchase => ({
    merchantId: 'default',
    purchaseId: `order-${hex()}`,
    cookie,
    contentId: 'film',
    kids: [kid],
    rights: { type: 'purchase' },
    completedAt: new Date().toISOString(),
    ...change,
  });
  const pay = async ({ merchantId: _, ...purchase }: Purchase) => (await shop.publishPurchaseCompleted(purchase)).outcome;
  const completed = (data: unknown, change: Partial<Parameters<Checkout['publish']>[0]> = {}) =>
    checkout.publish({ type: 'purchase.completed.v1', data, ...change });
  const boundCookie = async (): Promise<{ cookie: string; device: FakeDevice }> => {
    const [cookie, device] = [await merchant.cookie(), new FakeDevice()];
    expect(await merchant.register(device, cookie)).toBe(200);
    return { cookie, device };
  };
  const quarantine = async (): Promise<number> => (await latchkey.vhost.depth('token-issuer.dlq')).messages;
  const liveTokens = async (purchaseId: string): Promise<number> => {
    const client = new Client({ connectionString: latchkey.databaseUrl('token-issuer') });
    await client.connect();
    const { rows } = await client.query<{ n: number }>('select count(*)::int as n from tokens where purchase_id = $1', [purchaseId]);
    await client.end();
    return rows[0]!.n;
  };

  it('turns a published purchase into a token, in either mode and spelling', async () => {
    const { cookie, device } = await boundCookie();
    for (const how of [{}, { headerPrefix: 'cloudEvents:' as const }, { mode: 'structured' as const }]) {
      const purchase = purchaseOf(cookie);
      expect(await completed(purchase, how)).toBe('accepted');
      await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchase.purchaseId}`)).status).toBe(200));
      expect((await merchant.token(purchase.purchaseId)).deviceId).toBe(device.deviceId);
    }
  });

  it('does not care whether the purchase or the device comes first, and hears a waiting token on the other gateway', async () => {
    const [cookie, device] = [await merchant.cookie(), new FakeDevice()];
    const purchase = purchaseOf(cookie);
    await pay(purchase);
    await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchase.purchaseId}`)).body['state']).toBe('awaiting-device'));
    const waiting = latchkey.merchant(1).token(purchase.purchaseId);
    const second = `${latchkey.of('license-server')[1]!.url}/v1/licenses`;
    expect(await merchant.register(device, cookie, second)).toBe(200);
    const { token, licenseUrl } = await waiting;
    expect((await device.license({ licenseUrl, token, kids: [kid], sendTo: second })).status).toBe(200);
  });

  it('accepts no purchase that the issuer would miss, and is whole again by itself', async () => {
    const { cookie, device } = await boundCookie();
    const purchase = purchaseOf(cookie);
    const path = `/api/bindings/${encodeURIComponent(latchkey.vhost.name)}/e/latchkey.events/q/token-issuer.in/purchase.completed.v1`;
    // The services bind again every few seconds: one of them may have done so in between.
    await eventually(async () => {
      await latchkey.vhost.management.request('DELETE', path);
      expect(await pay(purchaseOf(cookie))).toBe('unroutable');
    });
    await eventually(async () => expect(await pay(purchase)).toBe('accepted'), { timeoutMs: 15_000 });
    expect((await merchant.token(purchase.purchaseId)).deviceId).toBe(device.deviceId);
  });

  it('makes one token of a purchase that comes many times, under old and new ids, on both replicas', async () => {
    const { cookie } = await boundCookie();
    const purchase = purchaseOf(cookie);
    const id = hex();
    await Promise.all(Array.from({ length: 40 }, (_, n) => completed(purchase, n % 2 === 0 ? { id } : {})));
    await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchase.purchaseId}`)).body['state']).toBe('issued'));
    await eventually(async () => expect((await latchkey.vhost.depth('token-issuer.in')).messages).toBe(0));
    expect(await liveTokens(purchase.purchaseId)).toBe(1);
  });

  it('lets a refund that overtook its purchase win', async () => {
    const { cookie } = await boundCookie();
    const purchase = purchaseOf(cookie);
    await shop.publishPurchaseRefunded({ purchaseId: purchase.purchaseId });
    await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchase.purchaseId}`)).body['state']).toBe('refunded'));
    await pay(purchase);
    const { merchantId, ...overHttp } = purchase;
    expect((await merchant.call('/v1/purchases', overHttp)).body).toMatchObject({ status: 409, code: 'purchase-refunded' });
    expect(await liveTokens(purchase.purchaseId)).toBe(0);
  });

  it('puts poison aside with its reason, while its neighbours become tokens', async () => {
    const { cookie } = await boundCookie();
    const before = await quarantine();
    const good = [purchaseOf(cookie), purchaseOf(cookie), purchaseOf(cookie)];
    await pay(good[0]!);
    await completed({}, { rawBody: '{"not json' });
    await completed({ ...purchaseOf(cookie), kids: 'none' });
    await pay(good[1]!);
    await completed(purchaseOf(cookie), { userId: null });
    await completed(purchaseOf(cookie, { merchantId: 'another' }));
    await completed({ merchantId: 'default', cookie, accountId: 'a', deviceId: 'stolen', evidence: 'proof', registeredAt: new Date().toISOString() }, {
      type: 'device.registered.v1',
      routingKey: 'purchase.completed.v1',
    });
    await completed({}, { rawBody: Buffer.alloc(300 * 1024, 0x20) });
    await completed({}, { rawBody: '['.repeat(50_000) + ']'.repeat(50_000) });
    await pay(good[2]!);
    for (const { purchaseId } of good) await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchaseId}`)).body['state']).toBe('issued'));
    await eventually(async () => expect(await quarantine()).toBe(before + 7));
    // A purchase that contradicts itself is put aside too, and stays as it was.
    await pay({ ...good[0]!, contentId: 'another-film' });
    await eventually(async () => expect(await quarantine()).toBe(before + 8));
    expect((await merchant.expect(200, `/v1/purchases/${good[0]!.purchaseId}`))['contentId']).toBe('film');
  });

  it('lets no checkout speak as a service: the broker refuses the routing key', async () => {
    const forger = await Checkout.connect(latchkey.checkoutAmqpUrl);
    await expect(forger.publish({ type: 'device.registered.v1', data: {} })).rejects.toThrow();
    await forger.close();
  });

  it('loses no purchase when token-issuers are killed while purchases pour in', async () => {
    const cookies = await Promise.all(Array.from({ length: 4 }, () => boundCookie()));
    const purchases = Array.from({ length: 200 }, (_, n) => purchaseOf(cookies[n % 4]!.cookie));
    const pouring = (async () => {
      for (const purchase of purchases) expect(await pay(purchase)).toBe('accepted');
    })();
    for (const replica of latchkey.of('token-issuer')) {
      await new Promise((resolve) => setTimeout(resolve, 60));
      await replica.process.kill('SIGKILL');
      await replica.restart();
    }
    await pouring;
    for (const { purchaseId } of purchases) {
      await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchaseId}`)).body['state']).toBe('issued'), { timeoutMs: 60_000 });
      expect(await liveTokens(purchaseId)).toBe(1);
    }
  }, 180_000);

  it('answers 503 while a service does not answer, and plays while everything but one licence server is down', async () => {
    const { cookie, device } = await boundCookie();
    const purchase = purchaseOf(cookie);
    await pay(purchase);
    await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchase.purchaseId}`)).body['state']).toBe('issued'));
    const { token, licenseUrl } = await merchant.token(purchase.purchaseId);
    for (const service of ['cookie', 'device-registry', 'token-issuer'] as const) {
      await Promise.all(latchkey.of(service).map(({ process }) => process.kill('SIGKILL')));
    }
    const unavailable = await merchant.call('/v1/cookies', { accountId: 'alice' });
    expect([unavailable.status, unavailable.body['code']]).toEqual([503, 'unavailable']);
    expect(Number(unavailable.headers.get('retry-after'))).toBeGreaterThan(0);
    // Nobody may reach the broker any more: the licence server is on its own.
    await latchkey.lockOutOfBroker();
    expect((await device.license({ licenseUrl, token, kids: [kid] })).status).toBe(200);
    expect((await fetch(licenseUrl.replace('/v1/licenses', '/health/ready'))).status).toBe(200);
  }, 120_000);

  it('printed no token and no key while all that happened', () => {
    expect(latchkey.printed()).toContain('"service":"token-issuer"');
    expect(latchkey.printed()).not.toMatch(/eyJ[A-Za-z0-9_-]{10}/);
    expect(latchkey.printed()).not.toContain(latchkey.apiKey);
  });
});

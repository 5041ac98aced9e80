import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { authenticatorOf } from '@latchkey/crypto';
import { Checkout, describeWithRabbit, eventually, startProcess } from '@latchkey/kits';
import { Client } from 'pg';
import { Distributed } from './distributed.js';
import { hex, type Merchant } from './merchant.js';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(240_000);

interface Sold {
  readonly cookie: string;
  readonly kid: string;
  readonly key: string;
}

interface Told {
  readonly tokenId: string;
  readonly purchaseId?: string;
  readonly deviceId: string;
}

describeWithRabbit('one sale by ExpressPlay code and by an event of a checkout, two replicas each', () => {
  let latchkey: Distributed;
  let merchant: Merchant;
  let checkout: Checkout;
  /** What the merchant is told, as it comes. */
  let told = '';
  const telling = new AbortController();
  let reading: Promise<void>;

  beforeAll(async () => {
    latchkey = await Distributed.start(2);
    merchant = latchkey.merchant();
    checkout = await Checkout.connect(latchkey.checkoutAmqpUrl);
    const stream = await fetch(`${merchant.gatewayUrl}/v1/events`, { headers: { authorization: `Bearer ${merchant.apiKey}`, 'last-event-id': '0' }, signal: telling.signal });
    reading = (async () => {
      for await (const chunk of stream.body!) told += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
  }, 180_000);
  afterAll(async () => {
    telling.abort();
    await reading;
    await checkout?.close();
    await latchkey?.remove();
  }, 60_000);

  /** One call as a merchant's ExpressPlay code makes it, to one gateway or the other. */
  const call = async (path: string, parameters: Record<string, string>, replica = 0): Promise<Record<string, unknown>> => {
    const query = new URLSearchParams({ customerAuthenticator: authenticatorOf(merchant.apiKey), errorFormat: 'json', ...parameters });
    return (await (await fetch(`${latchkey.merchant(replica).gatewayUrl}${path}?${query.toString()}`)).json()) as Record<string, unknown>;
  };
  const tokenFor = async ({ cookie, kid, key }: Sold, deviceId?: string, replica?: number): Promise<string> => {
    const { token, errorCode } = await call('/hms/pr/token', { kid, contentKey: key, rightsType: 'BuyToOwn', cookie, ...(deviceId !== undefined && { deviceId }) }, replica);
    if (typeof token !== 'string') throw new Error(`no token but ${String(errorCode)}`);
    return token;
  };
  const redeem = (token: string, deviceId: string) => call('/hms/pr/rights/', { ExpressPlayToken: token, deviceId });

  /** Something to sell, with a cookie that the ExpressPlay code has used already. */
  const onSale = async (): Promise<Sold> => {
    const sold = { cookie: `shop/${hex().slice(0, 20)}==`, kid: hex(), key: hex() };
    await merchant.expect(201, `/v1/content-keys/${sold.kid}`, { key: sold.key }, { method: 'PUT' });
    await tokenFor(sold);
    return sold;
  };
  const bind = async (sold: Sold): Promise<string> => {
    const deviceId = hex();
    expect(await redeem(await tokenFor(sold), deviceId)).toMatchObject({ kids: [] });
    return deviceId;
  };
  const publish = async ({ cookie, kid }: Sold, purchaseId: string): Promise<void> => {
    const data = { merchantId: 'default', purchaseId, cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' }, completedAt: new Date().toISOString() };
    expect(await checkout.publish({ type: 'purchase.completed.v1', data })).toBe('accepted');
  };
  /** The merchant's own program, as it stands; answers what it ended with. */
  const run = async ({ cookie, kid, key }: Sold): Promise<{ deviceId: string; tokenId: string }> => {
    const env = { LATCHKEY_URL: merchant.gatewayUrl, CUSTOMER_AUTHENTICATOR: authenticatorOf(merchant.apiKey), COOKIE: cookie, KID: kid, CONTENT_KEY: key };
    const started = await startProcess({ entry: 'examples/expressplay-merchant.mjs', env });
    expect([(await started.ended).exitCode, started.stderr()]).toEqual([0, '']);
    return JSON.parse(started.stdout().trim().split('\n').at(-1)!) as { deviceId: string; tokenId: string };
  };
  const issuedTo = (deviceId: string): Told[] =>
    [...told.matchAll(/^event: token\.issued\.v1\ndata: (.*)$/gm)].map(([, data]) => JSON.parse(data!) as Told).filter((token) => token.deviceId === deviceId);
  const tokensOf = async (deviceId: string): Promise<{ tokenId: string; purchaseId: string | null; live: boolean }[]> => {
    const client = new Client({ connectionString: latchkey.databaseUrl('token-issuer') });
    await client.connect();
    const { rows } = await client.query<{ tokenId: string; purchaseId: string | null; live: boolean }>(
      'select token_id as "tokenId", purchase_id as "purchaseId", superseded_at is null and revoked_at is null as live from tokens where device_id = $1',
      [deviceId],
    );
    await client.end();
    return rows;
  };
  /** The sale has one live token, which is the purchase's, and the merchant is told so. */
  const expectOneToken = async (sold: Sold, deviceId: string, purchaseId: string): Promise<string> => {
    await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchaseId}`)).body['state']).toBe('issued'));
    const { tokenId } = await merchant.token(purchaseId);
    expect((await tokensOf(deviceId)).filter(({ live }) => live)).toEqual([{ tokenId, purchaseId, live: true }]);
    expect(await redeem(await tokenFor(sold, deviceId), deviceId)).toMatchObject({ tokenId, kids: [sold.kid] });
    await eventually(() => expect(issuedTo(deviceId)).toContainEqual(expect.objectContaining({ tokenId, purchaseId })));
    // Whatever else is told of the sale is the same token, and its purchase is told once.
    expect(new Set(issuedTo(deviceId).map((token) => token.tokenId))).toEqual(new Set([tokenId]));
    expect(issuedTo(deviceId).filter((token) => token.purchaseId !== undefined)).toHaveLength(1);
    return tokenId;
  };

  it('is one token where the event came before the device', async () => {
    const [sold, purchaseId] = [await onSale(), `order-${hex()}`];
    await publish(sold, purchaseId);
    await eventually(async () => expect((await merchant.call(`/v1/purchases/${purchaseId}`)).body['state']).toBe('awaiting-device'));
    const { deviceId, tokenId } = await run(sold);
    expect(await expectOneToken(sold, deviceId, purchaseId)).toBe(tokenId);
    // The code asked when the purchase was issued already: nothing is told twice.
    expect(issuedTo(deviceId)).toHaveLength(1);
  });

  it('is one token where the event came after the code was done', async () => {
    const [sold, purchaseId] = [await onSale(), `order-${hex()}`];
    const { deviceId, tokenId } = await run(sold);
    await publish(sold, purchaseId);
    expect(await expectOneToken(sold, deviceId, purchaseId)).toBe(tokenId);
    // Told when it was asked for, and once more with its purchase.
    expect(issuedTo(deviceId).map((token) => token.purchaseId)).toEqual([undefined, purchaseId]);
  });

  it('is one token where the event comes, often, while the code runs', async () => {
    for (let round = 0; round < 3; round += 1) {
      const [sold, purchaseId] = [await onSale(), `order-${hex()}`];
      const [{ deviceId, tokenId }] = await Promise.all([run(sold), ...Array.from({ length: 5 }, () => publish(sold, purchaseId))]);
      expect(await expectOneToken(sold, deviceId, purchaseId)).toBe(tokenId);
    }
  });

  it('is one token where the event and many calls come at once, through both gateways', async () => {
    for (let round = 0; round < 5; round += 1) {
      const [sold, purchaseId] = [await onSale(), `order-${hex()}`];
      const deviceId = await bind(sold);
      const calls = Array.from({ length: 20 }, (_, index) => tokenFor(sold, deviceId, index % 2));
      const [answers] = await Promise.all([Promise.all(calls), ...Array.from({ length: 3 }, () => publish(sold, purchaseId))]);
      const tokenId = await expectOneToken(sold, deviceId, purchaseId);
      // Not one of them was answered with another token than the one that stands.
      expect(new Set(answers).size).toBe(1);
      expect((await tokensOf(deviceId)).map((token) => token.tokenId)).toEqual([tokenId]);
    }
  });

  it('ends with the refund that the checkout publishes', async () => {
    const [sold, purchaseId] = [await onSale(), `order-${hex()}`];
    const deviceId = await bind(sold);
    const token = await tokenFor(sold, deviceId);
    await publish(sold, purchaseId);
    await expectOneToken(sold, deviceId, purchaseId);
    expect(await checkout.publish({ type: 'purchase.refunded.v1', data: { merchantId: 'default', purchaseId, refundedAt: new Date().toISOString() } })).toBe('accepted');
    await eventually(async () => expect(await redeem(token, deviceId)).toMatchObject({ errorCode: -4010 }));
    await expect(tokenFor(sold, deviceId)).rejects.toThrow('-9412');
  });
});

import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { authenticatorOf } from '@latchkey/crypto';
import { eventually, type StartedProcess, startProcess } from '@latchkey/kits';
import { hex, Merchant } from './merchant.js';
import { MerchantKeys } from './merchant-keys.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(180_000);

let standalone: Standalone;
let keys: MerchantKeys;
let merchant: Merchant;
const secrets: string[] = [];

beforeAll(async () => {
  standalone = await startStandalone({ LATCHKEY_EXPRESSPLAY_BINDING: 'pr,wv' });
  keys = await MerchantKeys.open(standalone.dataDir);
  merchant = await standalone.merchant();
  secrets.push(authenticatorOf(merchant.apiKey));
});
afterAll(async () => {
  await keys.close();
  await standalone.remove();
});

interface Told {
  readonly status: number;
  readonly body: Record<string, unknown> & { readonly errorCode?: number };
}

/** One call as a merchant's ExpressPlay code makes it. */
async function call(path: string, parameters: Record<string, string> = {}, init: RequestInit & { of?: Merchant } = {}): Promise<Told> {
  const query = new URLSearchParams({ customerAuthenticator: authenticatorOf((init.of ?? merchant).apiKey), errorFormat: 'json', ...parameters });
  const response = await fetch(`${standalone.origin}${path}?${query.toString()}`, init);
  const text = await response.text();
  return { status: response.status, body: (text.startsWith('http') ? { url: text } : JSON.parse(text)) as Told['body'] };
}

/** What a token URL or a PlayReady answer holds. */
function tokenIn({ status, body }: Told): string {
  if (status !== 200) throw new Error(`no token but ${status} ${body.errorCode}`);
  const url = (body['url'] ?? body['epTokenURL']) as string | undefined;
  const token = url === undefined ? (body['token'] as string) : new URL(url).searchParams.get('ExpressPlayToken')!;
  secrets.push(token);
  return token;
}

const redeem = (token: string, deviceId: string, of?: Merchant): Promise<Told> => call('/hms/pr/rights/', { ExpressPlayToken: token, deviceId }, { method: 'GET', of });

interface Sold {
  readonly cookie: string;
  readonly deviceId: string;
  readonly kid: string;
  readonly key: string;
}

/** A device that is bound to a cookie of the merchant's own, and a key that is to be sold to it. */
async function bound(): Promise<Sold> {
  const sold = { cookie: `shop/${hex().slice(0, 20)}==`, deviceId: hex(), kid: hex(), key: hex() };
  const dummy = tokenIn(await call('/hms/pr/token', { kid: sold.kid, contentKey: sold.key, rightsType: 'BuyToOwn', cookie: sold.cookie }));
  expect(await redeem(dummy, sold.deviceId)).toMatchObject({ status: 200, body: { kids: [] } });
  secrets.push(sold.cookie, sold.key);
  return sold;
}

const sell = ({ cookie, deviceId, kid, key }: Sold): Promise<Told> => call('/hms/pr/token', { kid, contentKey: key, rightsType: 'BuyToOwn', cookie, deviceId });

/** The same sale, told as a checkout tells it. */
async function purchase({ cookie, kid, key }: Sold): Promise<string> {
  const purchaseId = `order-${hex()}`;
  await merchant.call(`/v1/content-keys/${kid}`, { key }, { method: 'PUT' });
  await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: `kid:${kid}`, kids: [kid], rights: { type: 'purchase' } });
  return purchaseId;
}

describe('a merchant’s ExpressPlay code, as it stands', () => {
  const run = (env: Record<string, string>): Promise<StartedProcess> =>
    startProcess({ entry: 'examples/expressplay-merchant.mjs', env: { LATCHKEY_URL: standalone.origin, CUSTOMER_AUTHENTICATOR: authenticatorOf(merchant.apiKey), ...env } });

  it.each(['pr', 'wv'])('does the seven steps: %s', async (DRM) => {
    const started = await run({ DRM });
    const { exitCode } = await started.ended;
    expect([exitCode, started.stderr()]).toEqual([0, '']);
    expect(started.stdout().match(/^[1-7]\. /gm)).toHaveLength(7);
  });

  it('does them with keys that may do no more than they must, the licence server’s apart', async () => {
    const [own, vendor] = [await keys.make('default', ['tokens', 'devices']), await keys.make('default', ['licenses:verify'])];
    const started = await run({ CUSTOMER_AUTHENTICATOR: authenticatorOf(own), VENDOR_AUTHENTICATOR: authenticatorOf(vendor) });
    expect([(await started.ended).exitCode, started.stderr()]).toEqual([0, '']);
    expect((await (await run({ CUSTOMER_AUTHENTICATOR: authenticatorOf(vendor) })).ended).exitCode).toBe(1);
  });

  it('is told the same token as a checkout whose purchase waited for the device', async () => {
    const sold = { cookie: hex(), deviceId: '', kid: hex(), key: hex() };
    tokenIn(await call('/hms/pr/token', { kid: sold.kid, contentKey: sold.key, rightsType: 'BuyToOwn', cookie: sold.cookie }));
    const purchaseId = await purchase(sold);
    const started = await run({ COOKIE: sold.cookie, KID: sold.kid, CONTENT_KEY: sold.key });
    expect([(await started.ended).exitCode, started.stderr()]).toEqual([0, '']);
    const { tokenId } = JSON.parse(started.stdout().trim().split('\n').at(-1)!) as { tokenId: string };
    expect(await merchant.expect(200, `/v1/purchases/${purchaseId}/token?waitSeconds=20`)).toMatchObject({ tokenId });
  });

  it('fails where a step does not do', async () => {
    const started = await run({ CUSTOMER_AUTHENTICATOR: 'nobody,00' });
    expect([(await started.ended).exitCode, started.stderr()]).toEqual([1, expect.stringContaining('-2017')]);
  });
});

describe('one sale by two ways', () => {
  it('is one token, whichever came first', async () => {
    for (const order of ['purchase first', 'token first', 'at once'] as const) {
      const sold = await bound();
      const purchaseId = order === 'purchase first' ? await purchase(sold) : undefined;
      const [told, id] = await Promise.all([sell(sold), purchaseId ?? (order === 'at once' ? purchase(sold) : undefined)]);
      const [known, token] = [id ?? (await purchase(sold)), tokenIn(told)];
      const { tokenId } = (await redeem(tokenIn(await sell(sold)), sold.deviceId)).body;
      expect([order, await merchant.expect(200, `/v1/purchases/${known}/token?waitSeconds=20`)]).toEqual([order, expect.objectContaining({ tokenId })]);
      // What came first may have been taken the place of; what stands now is the only one that is alive.
      const first = await redeem(token, sold.deviceId);
      expect([order, first.status === 200 ? first.body['tokenId'] : first.body.errorCode]).toEqual([order, first.status === 200 ? tokenId : -4010]);
    }
  });

  it('ends with its refund', async () => {
    const sold = await bound();
    const token = tokenIn(await sell(sold));
    const purchaseId = await purchase(sold);
    await merchant.expect(200, `/v1/purchases/${purchaseId}/token?waitSeconds=20`);
    await merchant.expect(202, `/v1/purchases/${purchaseId}/refund`, {});
    await eventually(async () => expect((await redeem(token, sold.deviceId)).body.errorCode).toBe(-4010));
    expect(await sell(sold)).toMatchObject({ status: 400, body: { errorCode: -9412 } });
  });
});

describe('the sample entitlement server', () => {
  it('registers a device, and hands out what was bought for it', async () => {
    const [customerCookie, contentID, deviceId, messageID] = [hex(), `film-${hex()}`, hex(), crypto.randomUUID()];
    const ask = (requestType: number): Promise<Told> =>
      call('/sees/SEESServlet', {}, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ messageID, version: 1, requestType, contentID, customerCookie }) });
    const registration = await ask(2);
    expect(registration.body).toMatchObject({ messageID, version: 1, isAllowed: true });
    expect(await redeem(tokenIn(registration), deviceId)).toMatchObject({ status: 200, body: { kids: [] } });
    expect(await ask(3)).toMatchObject({ status: 200, body: { messageID, isAllowed: false, epTokenURL: '', error: -9406 } });

    const { kid } = await merchant.contentKey();
    const purchaseId = `order-${hex()}`;
    await merchant.expect(202, '/v1/purchases', { purchaseId, cookie: customerCookie, contentId: contentID, kids: [kid], rights: { type: 'purchase' } });
    const { tokenId } = await merchant.token(purchaseId);
    for (const requestType of [3, 1]) {
      const answer = await ask(requestType);
      expect(answer.body).toMatchObject({ messageID, isAllowed: true });
      expect(await redeem(tokenIn(answer), deviceId)).toMatchObject({ status: 200, body: { tokenId, kids: [kid] } });
    }
  });
});

describe('the key store', () => {
  const kek = '000102030405060708090a0b0c0d0e0f';
  const k = 'a9b9033df0b9ca5447839e3d074817a0';
  const ek = '5dbd06c0056b42fe0b8cf406679620c31bd619732730433d';
  const json = (method: string, body: object): RequestInit => ({ method, headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

  it('keeps a key wrapped, sells it to a device, and forgets it', async () => {
    const kid = hex();
    expect(await call('/keystore/keys', { kek }, json('POST', { kid, k, kekId: 'mine' }))).toMatchObject({ status: 201, body: { kid, k, ek, kekId: 'mine' } });
    expect(await call('/keystore/keys', { kek }, json('POST', { kid }))).toMatchObject({ status: 200, body: { kid, k } });
    expect((await call(`/keystore/keys/${kid}`)).body).toEqual([{ kid, ek, kekId: 'mine', lastUpdate: expect.any(String) }]);
    expect((await call(`/keystore/keys/${kid}`, { kek })).body).toEqual([expect.objectContaining({ kid, k })]);
    expect(await call(`/keystore/keys/${kid}`, {}, json('PUT', { info: 'changed' }))).toMatchObject({ status: 200, body: { ek, kekId: 'mine', info: 'changed' } });
    expect((await call('/keystore/keys')).body).toEqual(expect.arrayContaining([expect.objectContaining({ kid })]));

    const { cookie, deviceId } = await bound();
    const sold = tokenIn(await call('/hms/pr/token', { kid, kek, rightsType: 'BuyToOwn', cookie, deviceId }));
    expect(await redeem(sold, deviceId)).toMatchObject({ status: 200, body: { kids: [kid] } });
    expect(await call('/hms/pr/token', { kid, kek: hex(), rightsType: 'BuyToOwn', cookie, deviceId })).toMatchObject({ status: 400, body: { errorCode: -4024 } });

    expect(await call(`/keystore/keys/${kid}`, {}, { method: 'DELETE' })).toMatchObject({ status: 200, body: { kids: [kid] } });
    expect((await call(`/keystore/keys/${kid}`)).status).toBe(404);
    expect(await call('/hms/pr/token', { kid, kek, rightsType: 'BuyToOwn', cookie, deviceId })).toMatchObject({ status: 400, body: { errorCode: -4019 } });
    secrets.push(kek, k);
  });
});

describe('another merchant', () => {
  it('sees and uses nothing of the first one’s', async () => {
    const stranger = new Merchant(standalone.origin, await keys.make('stranger'));
    const sold = await bound();
    const token = tokenIn(await sell(sold));
    const kid = hex();
    await call('/keystore/keys', { kek: hex() }, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kid }) });

    expect((await call('/cmiapi/getrecord/', { cookie: sold.cookie })).body['records']).toHaveLength(1);
    expect((await call('/cmiapi/getrecord/', { cookie: sold.cookie }, { of: stranger })).body['records']).toEqual([]);
    expect((await call('/cmiapi/getrecord/', {}, { of: stranger })).body['records']).toEqual([]);
    expect((await call('/cmiapi/getrecord/', { start: '0', length: '200' }, { of: stranger })).body['records']).toEqual([]);
    expect((await call(`/keystore/keys/${kid}`, {}, { of: stranger })).status).toBe(404);
    expect((await call('/keystore/keys', {}, { of: stranger })).body).toEqual([]);
    expect((await call(`/keystore/keys/${kid}`, {}, { of: stranger, method: 'DELETE' })).status).toBe(404);
    expect(await redeem(token, sold.deviceId, stranger)).toMatchObject({ status: 400, body: { errorCode: -4010 } });
    expect(await redeem(token, sold.deviceId)).toMatchObject({ status: 200 });
    // The same words are another cookie there, which is bound to nothing.
    expect(await call('/hms/pr/token', { kid: sold.kid, contentKey: sold.key, rightsType: 'BuyToOwn', cookie: sold.cookie, deviceId: sold.deviceId }, { of: stranger })).toMatchObject({ status: 400, body: { errorCode: -2033 } });
  });
});

describe('the log', () => {
  it('holds no authenticator, cookie, token or key', async () => {
    const printed = (await standalone.log()) + standalone.process.stdout() + standalone.process.stderr();
    expect(secrets.length).toBeGreaterThan(10);
    for (const secret of secrets) expect(printed.includes(secret) || printed.includes(encodeURIComponent(secret))).toBe(false);
  });
});

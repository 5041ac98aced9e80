import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { authenticatorOf } from '@latchkey/crypto';
import { eventually } from '@latchkey/kits';
import { hex, Merchant } from './merchant.js';
import { MerchantKeys } from './merchant-keys.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(240_000);

/** The account at the licence service: another Latchkey, which answers as the reference does. */
let upstream: Standalone;
/** The Latchkey whose merchants have their tokens from there. */
let latchkey: Standalone;
let authenticator: string;
/** Merchants by the DRM of their provider. */
const merchants = new Map<string, Merchant>();
const secrets: string[] = [];

beforeAll(async () => {
  upstream = await startStandalone({ LATCHKEY_EXPRESSPLAY_BINDING: 'pr,wv,fp' });
  const upstreamKeys = await MerchantKeys.open(upstream.dataDir);
  // What it may do upstream and no more; redeeming there is the vendor's licence server's.
  authenticator = authenticatorOf(await upstreamKeys.make('default', ['tokens', 'devices']));
  await upstreamKeys.close();
  secrets.push(authenticator, authenticator.split(',')[1]!);
  const entry = { kind: 'expressplay', url: upstream.origin, customerAuthenticator: authenticator, timeoutMs: 5_000 };
  const providers = [
    { ...entry, merchantId: 'pr', drm: 'pr' },
    { ...entry, merchantId: 'wv', drm: 'wv' },
    { ...entry, merchantId: 'fp', drm: 'fp', iv: hex() },
    { ...entry, merchantId: 'wrong', drm: 'pr', customerAuthenticator: `${authenticator.split(',')[0]},${'00'.repeat(43)}` },
  ];
  latchkey = await startStandalone({ LATCHKEY_TOKEN_PROVIDERS: JSON.stringify(providers) });
  const keys = await MerchantKeys.open(latchkey.dataDir);
  for (const { merchantId } of providers) merchants.set(merchantId, new Merchant(latchkey.origin, await keys.make(merchantId)));
  await keys.close();
});
afterAll(async () => {
  await latchkey.remove();
  await upstream.remove();
});

/** A device id as a DRM writes it. */
const drmId = (drm: string): string => (drm === 'fp' ? `${hex()}${hex().slice(0, 8)}` : drm === 'pr' ? hex().toUpperCase() : `WV-${hex()}`);

/** The vendor's licence server redeems a token where its player was told to, for a device. */
async function redeem({ token, licenseUrl }: { token: string; licenseUrl: string }, deviceId: string): Promise<{ status: number; body: Record<string, unknown> }> {
  secrets.push(token);
  const vendor = await upstream.merchant();
  const query = new URLSearchParams({ customerAuthenticator: authenticatorOf(vendor.apiKey), errorFormat: 'json', ExpressPlayToken: token, deviceId });
  const response = await fetch(`${licenseUrl}?${query.toString()}`);
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

async function buy(merchant: Merchant, cookie: string, rights: object = { type: 'purchase' }): Promise<{ purchaseId: string; kid: string }> {
  const { kid, key } = await merchant.contentKey();
  secrets.push(key);
  const purchaseId = `order-${hex()}`;
  await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film-42', kids: [kid], rights });
  return { purchaseId, kid };
}

/** A cookie that a device has registered with, upstream. */
async function register(merchant: Merchant, deviceId: string): Promise<string> {
  const cookie = await merchant.cookie();
  secrets.push(cookie);
  const dummy = (await merchant.expect(201, '/v1/registration-tokens', { cookie })) as never;
  expect(await redeem(dummy, deviceId)).toMatchObject({ status: 200, body: { kids: [] } });
  return cookie;
}

describe('a merchant whose tokens come from an account with ExpressPlay’s interface', () => {
  it.each(['pr', 'wv', 'fp'])('binds a device there and sells to it alone: %s', async (drm) => {
    const merchant = merchants.get(drm)!;
    const deviceId = drmId(drm);
    const cookie = await register(merchant, deviceId);
    const { purchaseId, kid } = await buy(merchant, cookie);
    const token = await merchant.token(purchaseId, 30);
    expect(token.licenseUrl).toBe(`${upstream.origin}/hms/${drm}/rights/`);
    expect(token.deviceId).toBe(drm === 'pr' ? deviceId.toLowerCase() : deviceId);
    expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject({ deviceId: token.deviceId, evidence: 'asserted', confidence: 'unknown' });
    expect(await redeem(token, deviceId)).toMatchObject({ status: 200, body: { kids: [kid], rights: { type: 'purchase' } } });
    expect((await redeem(token, drmId(drm))).status).toBe(400);
    // Asked for again it is the same token, here and there.
    expect(await merchant.token(purchaseId)).toEqual(token);
  });

  it.each(['pr', 'wv', 'fp'])('rents: %s', async (drm) => {
    const merchant = merchants.get(drm)!;
    const deviceId = drmId(drm);
    const availableUntil = new Date(Date.now() + 7 * 86_400_000).toISOString();
    const { purchaseId, kid } = await buy(merchant, await register(merchant, deviceId), { type: 'rental', availableUntil, playDurationSeconds: 3_600 });
    const answer = await redeem(await merchant.token(purchaseId, 30), deviceId);
    expect(answer).toMatchObject({ status: 200, body: { kids: [kid], rights: { type: 'rental', playDurationSeconds: 3_600 } } });
    const until = Date.parse((answer.body['rights'] as { availableUntil: string }).availableUntil);
    expect(until).toBeLessThanOrEqual(Date.parse(availableUntil));
  });

  it('sells without a purchase', async () => {
    const merchant = merchants.get('pr')!;
    const deviceId = drmId('pr');
    const cookie = await register(merchant, deviceId);
    const bound = () => merchant.expect(200, `/v1/cookies/${cookie}/device`);
    await eventually(bound, { timeoutMs: 40_000 });
    const { kid } = await merchant.contentKey();
    const token = (await merchant.expect(201, '/v1/tokens', { cookie, contentId: 'film-42', kids: [kid], rights: { type: 'purchase' } })) as never;
    expect(await redeem(token, deviceId)).toMatchObject({ status: 200, body: { kids: [kid] } });
  });

  it('keeps a purchase while the account does not answer, and has it issued when it does', async () => {
    const merchant = merchants.get('pr')!;
    const deviceId = drmId('pr');
    const cookie = await register(merchant, deviceId);
    await eventually(() => merchant.expect(200, `/v1/cookies/${cookie}/device`), { timeoutMs: 40_000 });
    await upstream.process.stop();
    const { purchaseId, kid } = await buy(merchant, cookie);
    expect((await merchant.call(`/v1/purchases/${purchaseId}/token`)).body['code']).toBe('token-not-issued');
    expect((await merchant.call('/v1/registration-tokens', { cookie: await merchant.cookie() })).status).toBe(503);
    await upstream.restart();
    const token = await eventually(() => merchant.token(purchaseId, 5), { timeoutMs: 60_000 });
    expect(await redeem(token, deviceId)).toMatchObject({ status: 200, body: { kids: [kid] } });
  });

  it('is told that its account is refused, not that its customer is', async () => {
    const merchant = merchants.get('wrong')!;
    const answer = await merchant.call('/v1/registration-tokens', { cookie: await merchant.cookie() });
    expect([answer.status, answer.body['code'], answer.headers.get('retry-after')]).toEqual([503, 'unavailable', '60']);
  });

  it('leaves no secret in the logs of either', async () => {
    const logs = `${await latchkey.log()}${await upstream.log()}`;
    expect(secrets.length).toBeGreaterThan(10);
    expect(secrets.filter((secret) => logs.includes(secret))).toEqual([]);
  });
});

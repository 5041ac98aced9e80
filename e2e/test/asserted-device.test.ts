import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, FakeDevice } from '@latchkey/kits';
import { hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

jest.setTimeout(120_000);

let standalone: Standalone;
let merchant: Merchant;
const secrets: string[] = [];

beforeAll(async () => {
  standalone = await startStandalone({ LATCHKEY_REFUSED_CONFIDENCES: 'default:software' });
  merchant = await standalone.merchant();
});
afterAll(() => standalone.remove());

/** What the merchant's licence server asks, and is answered with status 200. */
async function verify(token: string, deviceId: string, more: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
  return merchant.expect(200, '/v1/licenses/verify', { token, deviceId, drm: 'playready', ...more });
}

/** A cookie and a registration token for it. */
async function registration(accountId = 'alice'): Promise<{ cookie: string; token: string }> {
  const cookie = await merchant.cookie(accountId);
  const token = String((await merchant.expect(201, '/v1/registration-tokens', { cookie }))['token']);
  secrets.push(token);
  return { cookie, token };
}

/** A device that is bound, and what it bought. */
async function bought(rights: Record<string, unknown> = { type: 'purchase' }) {
  const deviceId = hex();
  const { cookie, token } = await registration();
  expect(await verify(token, deviceId)).toMatchObject({ allow: true, kids: [] });
  const { kid } = await merchant.contentKey();
  const purchaseId = `order-${hex()}`;
  await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights });
  const issued = await merchant.token(purchaseId);
  secrets.push(issued.token);
  return { ...issued, cookie, kid, purchaseId, deviceId };
}

describe('the journey of a device that a merchant’s licence server vouches for', () => {
  it('from cookie to licence, with a purchase that waits for it', async () => {
    const deviceId = hex();
    const { cookie, token: registrationToken } = await registration();
    const { kid } = await merchant.contentKey();
    const purchaseId = `order-${hex()}`;
    const body = { purchaseId, cookie, deviceId: deviceId.toUpperCase(), contentId: 'film', kids: [kid], rights: { type: 'purchase' } };
    expect(await merchant.expect(202, '/v1/purchases', body)).toMatchObject({ state: 'awaiting-device' });

    const bound = await verify(registrationToken, deviceId.toUpperCase(), { kids: [kid] });
    expect(bound).toEqual({ allow: true, tokenId: expect.stringMatching(/^reg_/), kids: [] });
    expect(await verify(registrationToken, deviceId)).toEqual(bound);
    expect(await verify(registrationToken, hex())).toEqual({ allow: false, code: 'cookie-bound-elsewhere' });
    const record = { deviceId, evidence: 'asserted', confidence: 'unknown', state: 'active' };
    expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject(record);
    expect((await merchant.expect(200, '/v1/accounts/alice/devices'))['devices']).toContainEqual(expect.objectContaining(record));

    const { token, tokenId } = await merchant.token(purchaseId);
    expect(await verify(token, deviceId)).toEqual({ allow: true, tokenId, kids: [kid], rights: { type: 'purchase' } });
    expect(await verify(token, deviceId.toUpperCase(), { kids: [kid] })).toMatchObject({ allow: true });
    expect(await verify(token, hex())).toEqual({ allow: false, code: 'device-mismatch' });
    expect(await verify(token, deviceId, { kids: [hex()] })).toEqual({ allow: false, code: 'kid-not-in-token' });
  });

  it('with a token that no purchase stands behind', async () => {
    const deviceId = hex();
    const { cookie, token: registrationToken } = await registration();
    await verify(registrationToken, deviceId);
    const { kid } = await merchant.contentKey();
    const asked = { cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } };
    expect((await merchant.call('/v1/tokens', { ...asked, deviceId: hex() })).body).toMatchObject({ code: 'device-mismatch' });
    const { token, tokenId } = await merchant.expect(201, '/v1/tokens', { ...asked, deviceId: deviceId.toUpperCase() });
    expect(await verify(String(token), deviceId)).toMatchObject({ allow: true, tokenId, kids: [kid] });
  });

  it('never meets the one of a device that proves its key', async () => {
    const vouched = await bought();
    const device = new FakeDevice();
    const refused = await device.license({ licenseUrl: vouched.licenseUrl, token: vouched.token, kids: [vouched.kid] });
    expect([refused.status, refused.body.code]).toEqual([401, 'invalid-token']);

    const cookie = await merchant.cookie();
    expect(await merchant.register(device, cookie)).toBe(200);
    const { token } = await merchant.expect(201, '/v1/tokens', { cookie, contentId: 'film', kids: [vouched.kid], rights: { type: 'purchase' } });
    expect(await verify(String(token), device.deviceId, { drm: 'other' })).toEqual({ allow: false, code: 'invalid-token' });
    // The same id on somebody's word is another device, and finds the cookie taken.
    const mixed = await registration();
    expect(await verify(mixed.token, device.deviceId, { drm: 'widevine' })).toMatchObject({ allow: true });
    expect(await merchant.register(device, await merchant.cookie())).toBe(200);
    expect((await device.license({ licenseUrl: vouched.licenseUrl, token: mixed.token })).body.code).toBe('cookie-bound-elsewhere');
  });

  it('ends with a refund, and with its device, for good', async () => {
    const refunded = await bought();
    await merchant.expect(202, `/v1/purchases/${refunded.purchaseId}/refund`, {});
    await eventually(async () => expect(await verify(refunded.token, refunded.deviceId)).toEqual({ allow: false, code: 'invalid-token' }), { timeoutMs: 1_000 });

    const lost = await bought();
    await merchant.expect(202, `/v1/devices/${lost.deviceId.toUpperCase()}/revoke`, {});
    await eventually(async () => expect(await verify(lost.token, lost.deviceId)).toEqual({ allow: false, code: 'device-revoked' }), { timeoutMs: 1_000 });
    expect(await merchant.expect(200, `/v1/cookies/${lost.cookie}/device`)).toMatchObject({ evidence: 'asserted', state: 'revoked' });
    expect(await verify((await registration()).token, lost.deviceId)).toEqual({ allow: false, code: 'device-revoked' });
  });

  it('ends with a rental’s clock, which its first licence starts', async () => {
    const rental = { type: 'rental', availableUntil: new Date(Math.ceil(Date.now() / 1000) * 1000 + 3_600_000).toISOString(), playDurationSeconds: 2 };
    const { token, deviceId } = await bought(rental);
    expect(await verify(token, hex())).toEqual({ allow: false, code: 'device-mismatch' });
    expect(await verify(token, deviceId)).toMatchObject({ allow: true, rights: rental });
    await eventually(async () => expect(await verify(token, deviceId)).toEqual({ allow: false, code: 'rental-expired' }), { timeoutMs: 10_000, intervalMs: 250 });
  });

  it('goes no further than a purchase where its merchant refuses the confidence in it', async () => {
    for (const [confidence, outcome] of [['hardware', 202], ['software', 409]] as const) {
      const { cookie, token } = await registration('careful');
      expect(await verify(token, hex(), { confidence })).toMatchObject({ allow: true });
      expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject({ confidence });
      const { kid } = await merchant.contentKey();
      const answer = await merchant.call('/v1/purchases', { purchaseId: `order-${hex()}`, cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } });
      expect([answer.status, answer.body['code']]).toEqual([outcome, outcome === 202 ? undefined : 'device-confidence-refused']);
    }
    const { devices } = await merchant.expect(200, '/v1/accounts/careful/devices');
    expect((devices as { confidence: string }[]).map(({ confidence }) => confidence)).toEqual(['hardware', 'software']);
  });

  it('is begun by one device of many that come at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { cookie, token } = await registration('race');
      const ids = Array.from({ length: 8 }, hex);
      const verdicts = await Promise.all(ids.map((deviceId) => verify(token, deviceId)));
      const [winner, ...others] = ids.filter((_, index) => verdicts[index]!['allow'] === true);
      expect(others).toEqual([]);
      expect(verdicts.filter(({ code }) => code === 'cookie-bound-elsewhere')).toHaveLength(7);
      expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject({ deviceId: winner });
    }
  });

  it('takes forty questions at once', async () => {
    const { token, deviceId } = await bought();
    const verdicts = await Promise.all(Array.from({ length: 40 }, () => verify(token, deviceId)));
    expect(verdicts.every(({ allow }) => allow === true)).toBe(true);
  });

  it('is logged without a token', async () => {
    const printed = (await standalone.log()) + standalone.process.stdout() + standalone.process.stderr();
    expect(secrets.length).toBeGreaterThan(10);
    for (const secret of secrets) expect(printed.includes(secret)).toBe(false);
  });
});

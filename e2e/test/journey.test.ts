import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, FakeDevice } from '@latchkey/kits';
import { base64url, hex, type Merchant } from './merchant.js';
import { type Standalone, startStandalone } from './standalone.js';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(240_000);

/** Everything secret that a journey saw; none of it may stand in the log. */
const secrets = new Set<string>();
const secret = (value: string): string => {
  secrets.add(value);
  return value;
};

describe('the journey, from cookie to licence, on standalone', () => {
  let standalone: Standalone;
  let merchant: Merchant;

  beforeAll(async () => {
    standalone = await startStandalone();
    merchant = await standalone.merchant();
    secret(merchant.apiKey);
  });
  afterAll(() => standalone.remove());

  async function purchased(rights: Record<string, unknown> = { type: 'purchase' }) {
    const device = new FakeDevice();
    const cookie = secret(await merchant.cookie());
    expect(await merchant.register(device, cookie)).toBe(200);
    const { kid, key } = await merchant.contentKey();
    const purchaseId = `order-${hex()}`;
    const body = { purchaseId, cookie, contentId: 'film', kids: [kid], rights };
    await merchant.expect(202, '/v1/purchases', body);
    const { token, licenseUrl, tokenId, deviceId } = await merchant.token(purchaseId);
    [token, key, base64url(key)].forEach(secret);
    expect(deviceId).toBe(device.deviceId);
    return { device, cookie, kid, key, purchaseId, token, tokenId, licenseUrl, body };
  }

  it('gives the device its licence, and nobody else', async () => {
    const { device, cookie, kid, key, token, licenseUrl, purchaseId, tokenId } = await purchased();
    expect(await merchant.expect(200, `/v1/cookies/${cookie}/device`)).toMatchObject({ deviceId: device.deviceId, evidence: 'proof', state: 'active' });
    const licence = await device.license({ licenseUrl, token, kids: [kid] });
    expect([licence.status, licence.body]).toEqual([200, { keys: [{ kty: 'oct', kid: base64url(kid), k: base64url(key) }], type: 'temporary' }]);
    expect(licence.headers.get('cache-control')).toContain('no-store');
    const thief = await new FakeDevice().license({ licenseUrl, token, kids: [kid] });
    expect([thief.status, thief.body.code]).toEqual([401, 'invalid-token']);
    expect((await merchant.token(purchaseId)).tokenId).toBe(tokenId);
  });

  it('lets a purchase wait for its device, and no second device take the cookie', async () => {
    const cookie = await merchant.cookie('bob');
    const { kid } = await merchant.contentKey();
    const purchaseId = `order-${hex()}`;
    expect(await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights: { type: 'purchase' } })).toMatchObject({ state: 'awaiting-device' });
    expect((await merchant.call(`/v1/purchases/${purchaseId}/token`)).body).toMatchObject({ code: 'token-not-issued' });
    const waiting = merchant.token(purchaseId);
    const { token, licenseUrl } = await merchant.expect(201, '/v1/registration-tokens', { cookie });
    const [first, second] = [new FakeDevice(), new FakeDevice()];
    expect((await first.license({ licenseUrl: String(licenseUrl), token: String(token) })).status).toBe(200);
    const late = await second.license({ licenseUrl: String(licenseUrl), token: String(token) });
    expect([late.status, late.body.code]).toEqual([403, 'cookie-bound-elsewhere']);
    expect((await waiting).deviceId).toBe(first.deviceId);
    expect((await merchant.expect(200, `/v1/cookies/${cookie}`))['state']).toBe('bound');
  });

  it('stops the token when the purchase is refunded, and when the device is revoked', async () => {
    const refunded = await purchased();
    await merchant.expect(202, `/v1/purchases/${refunded.purchaseId}/refund`, { reason: 'changed their mind' });
    const ask = (one: typeof refunded) => one.device.license({ licenseUrl: one.licenseUrl, token: one.token, kids: [one.kid] });
    await eventually(async () => expect((await ask(refunded)).body.code).toBe('invalid-token'), { timeoutMs: 1_000 });
    expect((await merchant.call(`/v1/purchases/${refunded.purchaseId}/token`)).body).toMatchObject({ code: 'purchase-refunded', status: 409 });
    const revoked = await purchased();
    await merchant.expect(202, `/v1/devices/${revoked.device.deviceId}/revoke`, {});
    await eventually(async () => expect((await ask(revoked)).body.code).toBe('device-revoked'), { timeoutMs: 1_000 });
    expect(await merchant.register(revoked.device, await merchant.cookie())).toBe(403);
  });

  it('lets a rental play once its time has come, and no longer than its clock', async () => {
    const later = new Date(Date.now() + 3_600_000).toISOString();
    const soon = await purchased({ type: 'rental', availableFrom: later, availableUntil: new Date(Date.now() + 7_200_000).toISOString(), playDurationSeconds: 60 });
    const early = await soon.device.license({ licenseUrl: soon.licenseUrl, token: soon.token, kids: [soon.kid] });
    expect([early.status, early.body.code]).toEqual([403, 'rental-not-started']);
    const brief = await purchased({ type: 'rental', availableUntil: later, playDurationSeconds: 2 });
    const ask = () => brief.device.license({ licenseUrl: brief.licenseUrl, token: brief.token, kids: [brief.kid] });
    expect((await ask()).status).toBe(200);
    await eventually(async () => expect((await ask()).body.code).toBe('rental-expired'), { timeoutMs: 10_000, intervalMs: 250 });
  });

  it('tells the merchant of everything, as it happens and again from where it was', async () => {
    const controller = new AbortController();
    const stream = await fetch(`${standalone.origin}/v1/events`, { headers: { authorization: `Bearer ${merchant.apiKey}` }, signal: controller.signal });
    expect(stream.headers.get('content-type')).toMatch(/^text\/event-stream/);
    let text = '';
    const reading = (async () => {
      for await (const chunk of stream.body!) text += Buffer.from(chunk as Uint8Array).toString();
    })().catch(() => undefined);
    const { purchaseId } = await purchased();
    await eventually(() => expect(text).toMatch(new RegExp(`event: token\\.issued\\.v1\\ndata: .*${purchaseId}`)));
    const [firstId] = /^id: (\d+)$/m.exec(text)!.slice(1);
    controller.abort();
    await reading;
    const resumed = await fetch(`${standalone.origin}/v1/events`, { headers: { authorization: `Bearer ${merchant.apiKey}`, 'last-event-id': firstId! } });
    const reader = resumed.body!.getReader();
    let again = '';
    while (!/^id: \d+\n/m.test(again)) again += Buffer.from((await reader.read()).value!).toString();
    await reader.cancel();
    expect(Number(/^id: (\d+)$/m.exec(again)![1])).toBeGreaterThan(Number(firstId));
  });

  it('serves its documents, keys, health and metrics', async () => {
    const get = (path: string): Promise<Response> => fetch(standalone.origin + path);
    expect(((await (await get('/openapi.json')).json()) as { openapi: string }).openapi).toMatch(/^3\.1/);
    expect(await (await get('/asyncapi.yaml')).text()).toMatch(/^asyncapi: 3\./);
    expect((await get('/docs')).status).toBe(200);
    const { keys } = (await (await get('/.well-known/jwks.json')).json()) as { keys: Record<string, unknown>[] };
    expect(keys[0]).toMatchObject({ kty: 'EC', crv: 'P-256', alg: 'ES256' });
    expect(keys[0]).not.toHaveProperty('d');
    expect(await (await get('/health/ready')).json()).toMatchObject({ status: 'ready' });
    const metrics = await (await get('/metrics')).text();
    expect(metrics).toMatch(/latchkey_events_handled_total\{service="token-issuer"/);
    for (const value of secrets) expect(metrics).not.toContain(value);
  });

  it('logged the journey with correlation ids across services, and not one secret of it', async () => {
    const lines = (await standalone.log()).trim().split('\n');
    const services = new Map<string, Set<string>>();
    for (const line of lines) {
      const { correlationId, service } = JSON.parse(line) as { correlationId?: string; service: string };
      if (correlationId) services.set(correlationId, (services.get(correlationId) ?? new Set()).add(service));
    }
    expect(Math.max(...[...services.values()].map((seen) => seen.size))).toBeGreaterThanOrEqual(3);
    expect(secrets.size).toBeGreaterThan(15);
    const printed = lines.join('\n') + standalone.process.stdout() + standalone.process.stderr();
    for (const value of secrets) expect(printed.includes(value)).toBe(false);
  });
});

import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type CookieView, Problem, type PurchaseView, requests, scopes } from '@latchkey/contracts';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const at = '2026-11-23T12:00:00.000Z';
const kid = '0123456789abcdef0123456789abcdef';
const cookieView: CookieView = { cookie: 'biscuit', accountId: 'alice', state: 'pending', expiresAt: at };
const purchaseView: PurchaseView = { purchaseId: 'order-1', state: 'issued', acceptedAt: at };
const tokenView = { token: 'a.b.c', tokenId: 'tok_1', deviceId: 'device', licenseUrl: 'http://licences/v1/licenses', expiresAt: at };
const registrationView = { token: 'a.b.c', licenseUrl: 'http://licences/v1/licenses', expiresAt: at };
const record = { cookie: 'biscuit', accountId: 'alice', deviceId: 'device', evidence: 'proof' as const, state: 'active' as const, registeredAt: at };
const rights = { type: 'purchase' };

const gateway = new GatewayUnderTest();
const { neighbours } = gateway;
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
beforeEach(() => neighbours.reset());

describe('cookies', () => {
  it('are made for the key’s merchant', async () => {
    neighbours.answer(requests.issueCookie, () => cookieView);
    const response = await gateway.call('POST', '/v1/cookies', { body: { accountId: 'alice', ttlSeconds: 60 }, headers: { 'idempotency-key': 'once' } });
    expect([response.status, await response.json()]).toEqual([201, cookieView]);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(neighbours.asked).toEqual([{ name: 'cookie.issue', input: { merchantId: 'default', accountId: 'alice', ttlSeconds: 60, idempotencyKey: 'once' } }]);
  });

  it('are shown', async () => {
    neighbours.answer(requests.getCookie, () => cookieView);
    const response = await gateway.call('GET', '/v1/cookies/biscuit');
    expect([response.status, await response.json()]).toEqual([200, cookieView]);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', cookie: 'biscuit' });
  });

  it('are refused as the cookie service refuses', async () => {
    neighbours.refuse(requests.issueCookie, new Problem('idempotency-key-differs'));
    neighbours.refuse(requests.getCookie, new Problem('cookie-unknown'));
    expect(await refusalOf(await gateway.call('POST', '/v1/cookies', { body: { accountId: 'alice' } }))).toEqual({ status: 422, code: 'idempotency-key-differs' });
    expect(await refusalOf(await gateway.call('GET', '/v1/cookies/biscuit'))).toEqual({ status: 404, code: 'cookie-unknown' });
  });
});

describe('registration tokens', () => {
  beforeEach(() => neighbours.answer(requests.issueRegistrationToken, () => registrationView));

  it.each([
    ['the body', '', { cookie: 'biscuit' }, {}],
    ['the query, without a body', '?cookie=biscuit', undefined, {}],
    ['the header, without a body', '', undefined, { 'X-Latchkey-Cookie': 'biscuit' }],
    ['all three', '?cookie=biscuit', { cookie: 'biscuit' }, { 'x-latchkey-cookie': 'biscuit' }],
    ['a query that says it twice', '?cookie=biscuit&cookie=biscuit', undefined, {}],
  ])('take the cookie from %s', async (_, query, body, headers) => {
    const response = await gateway.call('POST', `/v1/registration-tokens${query}`, { body, headers });
    expect([response.status, await response.json()]).toEqual([201, registrationView]);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', cookie: 'biscuit' });
  });

  it('take a cookie that a merchant made up, encoded', async () => {
    const cookie = 'a+b/c==';
    await gateway.call('POST', `/v1/registration-tokens?cookie=${encodeURIComponent(cookie)}`);
    await gateway.call('POST', '/v1/registration-tokens', { headers: { 'x-latchkey-cookie': cookie } });
    expect(neighbours.asked.map(({ input }) => input)).toEqual([{ merchantId: 'default', cookie }, { merchantId: 'default', cookie }]);
  });

  it('may be for one device', async () => {
    await gateway.call('POST', '/v1/registration-tokens', { body: { cookie: 'biscuit', deviceId: 'device' } });
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', cookie: 'biscuit', deviceId: 'device' });
  });

  it.each([
    ['no cookie', '', undefined],
    ['two cookies', '?cookie=other', { cookie: 'biscuit' }],
    ['two cookies in the query', '?cookie=biscuit&cookie=other', undefined],
    ['a malformed cookie', '?cookie=bis%20cuit', undefined],
  ])('are refused with %s', async (_, query, body) => {
    expect(await refusalOf(await gateway.call('POST', `/v1/registration-tokens${query}`, { body }))).toMatchObject({ status: 400, code: 'invalid-request' });
    expect(neighbours.asked).toEqual([]);
  });

  it('say which two cookies differ, wherever they stand', async () => {
    const inQuery = await gateway.call('POST', '/v1/registration-tokens?cookie=biscuit&cookie=other');
    expect(await refusalOf(inQuery)).toMatchObject({ errors: [{ path: '/query/cookie', message: 'stands several times with values that differ' }] });
    const apart = await gateway.call('POST', '/v1/registration-tokens?cookie=biscuit', { headers: { 'x-latchkey-cookie': 'other' } });
    expect(await refusalOf(apart)).toMatchObject({ detail: 'the request names two cookies that differ' });
  });

  it.each([
    ['the same', ['biscuit', 'biscuit'], 201],
    ['another', ['biscuit', 'other'], 400],
  ])('take a header that stands twice where the second says %s: %j → %i', async (_, cookies, status) => {
    const answered = await new Promise<number | undefined>((resolve, reject) => {
      const { hostname, port } = new URL(gateway.replica.url!);
      const call = request({ hostname, port, method: 'POST', path: '/v1/registration-tokens', headers: { authorization: `Bearer ${gateway.key}`, 'x-latchkey-cookie': cookies } }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      });
      call.on('error', reject).end();
    });
    expect(answered).toBe(status);
  });

  it.each([
    ['cookie-unknown', 404],
    ['cookie-expired', 409],
    ['cookie-bound', 409],
  ] as const)('are refused with %s', async (code, status) => {
    neighbours.refuse(requests.issueRegistrationToken, new Problem(code));
    expect(await refusalOf(await gateway.call('POST', '/v1/registration-tokens?cookie=biscuit'))).toEqual({ status, code });
  });
});

describe('devices', () => {
  it('are retrieved by cookie', async () => {
    neighbours.answer(requests.getDeviceRecord, () => record);
    const response = await gateway.call('GET', '/v1/cookies/biscuit/device');
    expect([response.status, await response.json()]).toEqual([200, record]);
    neighbours.refuse(requests.getDeviceRecord, new Problem('device-not-registered'));
    expect(await refusalOf(await gateway.call('GET', '/v1/cookies/biscuit/device'))).toEqual({ status: 404, code: 'device-not-registered' });
  });

  it.each(['a+b/c==', 'a~@:._-', 'f'.repeat(32), '/'.repeat(32)])('are retrieved by the cookie %s that a merchant made up', async (cookie) => {
    neighbours.answer(requests.getDeviceRecord, () => ({ ...record, cookie }));
    const response = await gateway.call('GET', `/v1/cookies/${encodeURIComponent(cookie)}/device`);
    expect([response.status, await response.json()]).toEqual([200, { ...record, cookie }]);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', cookie });
  });

  it('are listed by account', async () => {
    const { deviceId, evidence, state, registeredAt } = record;
    const devices = [{ deviceId, evidence, state, registeredAt, lastSeenAt: at }];
    neighbours.answer(requests.listDevices, () => ({ devices }));
    const response = await gateway.call('GET', '/v1/accounts/alice/devices');
    expect([response.status, await response.json()]).toEqual([200, { devices }]);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', accountId: 'alice' });
  });

  it('are revoked, whatever their id is made of', async () => {
    neighbours.answer(requests.revokeDevice, ({ deviceId }) => ({ deviceId, state: 'revoked' as const }));
    const response = await gateway.call('POST', `/v1/devices/${encodeURIComponent('a/b%?#c')}/revoke`, { body: { reason: 'stolen' } });
    expect([response.status, await response.json()]).toEqual([202, { deviceId: 'a/b%?#c', state: 'revoked' }]);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', deviceId: 'a/b%?#c', reason: 'stolen' });
    expect((await gateway.call('POST', '/v1/devices/device/revoke')).status).toBe(202);
    neighbours.refuse(requests.revokeDevice, new Problem('device-unknown'));
    expect(await refusalOf(await gateway.call('POST', '/v1/devices/device/revoke'))).toEqual({ status: 404, code: 'device-unknown' });
  });
});

describe('content keys', () => {
  it('are 201 the first time, 204 the same again, 409 another', async () => {
    const put = (): Promise<Response> => gateway.call('PUT', `/v1/content-keys/${kid}`, { body: { key: 'F'.repeat(32), contentId: 'film' } });
    neighbours.answer(requests.putContentKey, () => ({ created: true }));
    const first = await put();
    expect([first.status, await first.text()]).toEqual([201, '']);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', kid, key: 'F'.repeat(32), contentId: 'film' });
    neighbours.answer(requests.putContentKey, () => ({ created: false }));
    const again = await put();
    expect([again.status, await again.text()]).toEqual([204, '']);
    neighbours.refuse(requests.putContentKey, new Problem('content-key-differs'));
    expect(await refusalOf(await put())).toEqual({ status: 409, code: 'content-key-differs' });
  });

  it('have a kid of 32 lower-case hex digits', async () => {
    for (const bad of [kid.toUpperCase(), kid.slice(1), `${kid}0`]) {
      expect(await refusalOf(await gateway.call('PUT', `/v1/content-keys/${bad}`, { body: { key: 'F'.repeat(32) } }))).toEqual({
        status: 400,
        code: 'invalid-request',
        errors: [{ path: '/params/kid', message: 'must be 32 lower-case hex digits' }],
      });
    }
  });
});

describe('purchases', () => {
  const body = { purchaseId: 'order-1', cookie: 'biscuit', contentId: 'film', kids: [kid], rights };

  it('are accepted, completed now where nobody says when', async () => {
    neighbours.answer(requests.acceptPurchase, () => purchaseView);
    const before = Date.now();
    const response = await gateway.call('POST', '/v1/purchases', { body });
    expect([response.status, await response.json()]).toEqual([202, purchaseView]);
    const { completedAt, ...input } = neighbours.asked[0]!.input as Record<string, unknown>;
    expect(input).toEqual({ merchantId: 'default', ...body });
    expect(Date.parse(completedAt as string)).toBeGreaterThanOrEqual(before);
    await gateway.call('POST', '/v1/purchases', { body: { ...body, completedAt: at } });
    expect(neighbours.asked[1]!.input).toMatchObject({ completedAt: at });
  });

  it.each([
    ['cookie-unknown', 404],
    ['cookie-expired', 409],
    ['kid-unknown', 409],
    ['device-revoked', 409],
    ['device-mismatch', 409],
    ['purchase-refunded', 409],
    ['purchase-differs', 409],
  ] as const)('are refused with %s', async (code, status) => {
    // Without a status: the operation says which it is, so that an asked service cannot get it wrong.
    neighbours.refuse(requests.acceptPurchase, new Problem(code));
    expect(await refusalOf(await gateway.call('POST', '/v1/purchases', { body }))).toEqual({ status, code });
  });

  it('are shown and refunded', async () => {
    neighbours.answer(requests.getPurchase, () => purchaseView);
    neighbours.answer(requests.refundPurchase, () => ({ ...purchaseView, state: 'refunded' as const }));
    const shown = await gateway.call('GET', '/v1/purchases/order-1');
    expect([shown.status, await shown.json()]).toEqual([200, purchaseView]);
    const refunded = await gateway.call('POST', '/v1/purchases/order-1/refund', { body: { reason: 'asked' } });
    expect([refunded.status, await refunded.json()]).toEqual([202, { ...purchaseView, state: 'refunded' }]);
    expect(neighbours.asked[1]!.input).toEqual({ merchantId: 'default', purchaseId: 'order-1', reason: 'asked' });
    neighbours.refuse(requests.getPurchase, new Problem('purchase-unknown'));
    neighbours.refuse(requests.refundPurchase, new Problem('purchase-unknown'));
    expect(await refusalOf(await gateway.call('GET', '/v1/purchases/order-1'))).toEqual({ status: 404, code: 'purchase-unknown' });
    expect(await refusalOf(await gateway.call('POST', '/v1/purchases/order-1/refund'))).toEqual({ status: 404, code: 'purchase-unknown' });
  });
});

describe('tokens without a purchase', () => {
  const body = { cookie: 'biscuit', contentId: 'film', kids: [kid], rights, keys: { [kid]: 'F'.repeat(32) }, ttlSeconds: 60 };

  it('are issued', async () => {
    neighbours.answer(requests.issueToken, () => tokenView);
    const response = await gateway.call('POST', '/v1/tokens', { body, headers: { 'Idempotency-Key': 'once' } });
    expect([response.status, await response.json()]).toEqual([201, tokenView]);
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', ...body, idempotencyKey: 'once' });
  });

  it.each([
    ['cookie-unknown', 404],
    ['device-not-registered', 409],
    ['device-mismatch', 409],
    ['device-revoked', 409],
    ['kid-unknown', 409],
    ['content-key-differs', 409],
    ['idempotency-key-differs', 422],
  ] as const)('are refused with %s', async (code, status) => {
    neighbours.refuse(requests.issueToken, new Problem(code));
    expect(await refusalOf(await gateway.call('POST', '/v1/tokens', { body }))).toEqual({ status, code });
  });
});

describe('the keys of a token', () => {
  const other = 'f'.repeat(32);
  const body = { cookie: 'biscuit', contentId: 'film', kids: [kid], rights };

  it('may be for some of its kids', async () => {
    neighbours.answer(requests.issueToken, () => tokenView);
    const kids = [kid, other];
    expect((await gateway.call('POST', '/v1/tokens', { body: { ...body, kids, keys: { [other]: 'F'.repeat(32) } } })).status).toBe(201);
  });

  it('are refused, by their path, where they are for none of them', async () => {
    const response = await gateway.call('POST', '/v1/tokens', { body: { ...body, keys: { [kid]: 'F'.repeat(32), [other]: 'F'.repeat(32) } } });
    expect(await refusalOf(response)).toEqual({ status: 400, code: 'invalid-request', errors: [{ path: `/keys/${other}`, message: 'is a key of none of the kids' }] });
    expect(neighbours.asked).toEqual([]);
  });
});

describe('a merchant', () => {
  it('learns whose key it uses and what that may do', async () => {
    const all = await gateway.call('GET', '/v1/merchant');
    expect([all.status, await all.json()]).toEqual([200, { merchantId: 'default', scopes: [...scopes] }]);
    const one = await gateway.call('GET', '/v1/merchant', { key: await gateway.makeKey('other', ['cookies']) });
    expect(await one.json()).toEqual({ merchantId: 'other', scopes: ['cookies'] });
  });

  it('speaks for itself alone', async () => {
    neighbours.answer(requests.getCookie, () => cookieView);
    await gateway.call('GET', '/v1/cookies/biscuit', { key: await gateway.makeKey('other') });
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'other', cookie: 'biscuit' });
    const foreign = await gateway.call('POST', '/v1/cookies', { body: { accountId: 'alice', merchantId: 'other' } });
    expect(await refusalOf(foreign)).toMatchObject({ status: 400, code: 'unknown-member' });
  });
});

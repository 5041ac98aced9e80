import { PurchaseRejected, requests, TokenIssued } from '@latchkey/contracts';
import { generateDeviceKey, readToken } from '@latchkey/crypto';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdCommit } from './hold-commit.js';
import { completed, Issuer, LICENSE_URL, MERCHANT, newPurchaseId, refunded, registered, revoked, terms } from './issuer.js';

let database: TestDatabase;
let issuer: Issuer;
let kid: string;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url);
  kid = await issuer.kid();
});

afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

const tables = ['purchases', 'tokens', 'cookie_joins', 'content_keys', 'token_requests'];
/** Of the outbox, how much was ever appended: the relay empties the table at any time. */
const everything = async () => [
  ...(await Promise.all(tables.map((table) => issuer.rows(`select * from ${table} order by 1, 2`)))),
  await issuer.rows('select last_value, is_called from outbox_events_position_seq'),
];

describe('acceptPurchase', () => {
  it('waits, and is issued for the next caller once the device is bound, whether or not that was heard', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    expect(await issuer.ask(requests.acceptPurchase, purchase)).toMatchObject({ state: 'awaiting-device', kids: [kid], rights: { type: 'purchase' } });
    expect(await issuer.refusal(requests.getPurchaseToken, purchase)).toBe('token-not-issued 404');
    const { deviceId } = issuer.neighbours.bind(purchase.cookie);
    expect(await issuer.ask(requests.getPurchaseToken, purchase)).toMatchObject({ deviceId, licenseUrl: LICENSE_URL });
    const next = terms({ cookie: purchase.cookie, kids: [kid] });
    expect(await issuer.ask(requests.acceptPurchase, next)).toMatchObject({ state: 'issued', deviceId });
  });

  it('answers the same again with the state it has', async () => {
    const other = await issuer.kid();
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid, other] });
    const first = await issuer.ask(requests.acceptPurchase, purchase);
    const again = { ...purchase, kids: [other, kid], completedAt: '2026-12-24T00:00:00Z' };
    expect(await issuer.ask(requests.acceptPurchase, again)).toEqual(first);
    const rejected = terms({ cookie: 'nobody-knows-this', kids: [kid] });
    await issuer.hear(completed(rejected, { attempt: 3 }));
    expect(await issuer.ask(requests.acceptPurchase, rejected)).toMatchObject({ state: 'rejected', code: 'cookie-unknown' });
  });

  it.each([
    ['an unknown cookie', 'cookie-unknown 404', async () => ({ cookie: 'nobody-knows-this' })],
    ['a foreign cookie', 'cookie-unknown 404', async () => ({ cookie: issuer.neighbours.cookie({ merchantId: 'other' }) })],
    ['a cookie that expired', 'cookie-expired 409', async () => ({ cookie: issuer.neighbours.cookie({ ttlMs: -1 }) })],
    ['an unknown kid', 'kid-unknown 409', async () => ({ kids: [kid, 'd'.repeat(32)] })],
    ['a foreign kid', 'kid-unknown 409', async () => ({ kids: [await issuer.kid('other')] })],
    [
      'a revoked device that nobody was told of',
      'device-revoked 409',
      async () => {
        const cookie = issuer.neighbours.cookie();
        issuer.neighbours.bindings.set(cookie, { ...issuer.neighbours.bind(cookie), state: 'revoked' });
        return { cookie };
      },
    ],
    ['another device', 'device-mismatch 409', async () => ({ cookie: issuer.neighbours.bind(issuer.neighbours.cookie()).cookie, deviceId: 'another' })],
  ])('refuses %s and changes nothing', async (_, refusal, change) => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid], ...(await change()) });
    const before = await everything();
    expect(await issuer.refusal(requests.acceptPurchase, purchase)).toBe(refusal);
    expect(await everything()).toEqual(before);
  });

  it('refuses other content under the same id, and a purchase that was refunded first', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    const before = await issuer.ask(requests.acceptPurchase, purchase);
    for (const change of [{ contentId: 'another' }, { deviceId: 'some-device' }, { kids: [await issuer.kid()] }, { cookie: issuer.neighbours.cookie() }]) {
      expect(await issuer.refusal(requests.acceptPurchase, { ...purchase, ...change })).toBe('purchase-differs 409');
    }
    expect(await issuer.purchase(MERCHANT, purchase.purchaseId)).toEqual(before);
    const refundedFirst = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    await issuer.hear(refunded(refundedFirst));
    expect(await issuer.refusal(requests.acceptPurchase, refundedFirst)).toBe('purchase-refunded 409');
  });

  it('is unavailable while the owner of the bindings does not answer', async () => {
    issuer.neighbours.silent.add(requests.lookUpBindings.name);
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    expect(await issuer.refusal(requests.acceptPurchase, purchase)).toBe('unavailable 503');
    issuer.neighbours.silent.clear();
  });
});

describe('issueToken', () => {
  const request = (change: object = {}) => ({
    merchantId: MERCHANT,
    cookie: issuer.neighbours.bind(issuer.neighbours.cookie()).cookie,
    contentId: 'film-42',
    kids: [kid],
    rights: { type: 'purchase' as const },
    ...change,
  });

  it('issues a token for the bound device, with keys that come along', async () => {
    const fresh = 'a'.repeat(31) + '1';
    const given = request({ kids: [fresh, kid], keys: { [fresh]: 'AB'.repeat(16) }, ttlSeconds: 60 });
    const view = await issuer.ask(requests.issueToken, given);
    const read = readToken(view.token);
    expect(read.ok && read.claims).toMatchObject({ kids: [fresh, kid], jti: view.tokenId });
    expect(Date.parse(view.expiresAt) - Date.now()).toBeLessThanOrEqual(60_000);
    expect(await issuer.said(TokenIssued, 1, { tokenId: view.tokenId })).toMatchObject([{ cookie: given.cookie, deviceId: view.deviceId }]);
    expect(issuer.bus.published.some((event) => JSON.stringify(event).includes(view.token))).toBe(false);
    expect(await issuer.ask(requests.issueToken, { ...given, keys: { [fresh]: 'ab'.repeat(16) } })).toMatchObject({ deviceId: view.deviceId });
  });

  it('gives the same token for the same idempotency key and request', async () => {
    const given = request({ idempotencyKey: `once-${newPurchaseId()}` });
    const views = await Promise.all([1, 2, 3].map(() => issuer.ask(requests.issueToken, given)));
    expect(new Set(views.map((view) => view.token)).size).toBe(1);
    expect(await issuer.refusal(requests.issueToken, { ...given, contentId: 'another' })).toBe('idempotency-key-differs 422');
    expect(await issuer.refusal(requests.issueToken, { ...given, ttlSeconds: 5 })).toBe('idempotency-key-differs 422');
    await issuer.ask(requests.putContentKey, { merchantId: 'other', kid, key: 'ab'.repeat(16) });
    const foreign = issuer.neighbours.bind(issuer.neighbours.cookie({ merchantId: 'other' }));
    const otherMerchants = await issuer.ask(requests.issueToken, { ...given, merchantId: 'other', cookie: foreign.cookie });
    expect(otherMerchants.tokenId).not.toBe(views[0]!.tokenId);
    await issuer.rows(`update token_requests set created_at = created_at - interval '24 hours'`);
    const dayLater = await issuer.ask(requests.issueToken, given);
    expect(dayLater.tokenId).not.toBe(views[0]!.tokenId);
  });

  it('gives one token to two different requests that race for one idempotency key', async () => {
    const idempotencyKey = `race-${newPurchaseId()}`;
    const ask = () => issuer.bus.ask(requests.issueToken.name, request({ idempotencyKey }));
    const answers = await holdCommit(issuer, 'token_requests', ask, ask);
    expect(answers.map((answer) => answer.problem?.code ?? 'issued')).toEqual(['issued', 'idempotency-key-differs']);
  });

  it.each([
    ['an unknown cookie', 'cookie-unknown 404', async () => ({ cookie: 'nobody-knows-this' })],
    ['a cookie without a device', 'device-not-registered 409', async () => ({ cookie: issuer.neighbours.cookie() })],
    ['another device', 'device-mismatch 409', async () => ({ deviceId: 'another' })],
    ['an unknown kid', 'kid-unknown 409', async () => ({ kids: ['c'.repeat(32)], keys: { ['b'.repeat(32)]: '00'.repeat(16) } })],
    ['a key that contradicts the stored one', 'content-key-differs 409', async () => ({ keys: { [kid]: '00'.repeat(16), ['b'.repeat(32)]: '00'.repeat(16) } })],
    [
      'a revoked device',
      'device-revoked 409',
      async () => {
        const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
        await issuer.hear(registered(binding), revoked(binding));
        return { cookie: binding.cookie };
      },
    ],
  ])('refuses %s and changes nothing', async (_, refusal, change) => {
    const given = request(await change());
    const before = await everything();
    expect(await issuer.refusal(requests.issueToken, given)).toBe(refusal);
    expect(await everything()).toEqual(before);
  });
});

describe('a device id of hex digits', () => {
  const playReadyId = () => crypto.randomUUID().replaceAll('-', '');
  const bound = (deviceId: string) => issuer.neighbours.bind(issuer.neighbours.cookie(), deviceId, 'asserted').cookie;

  it('names the same device in either case, in a purchase over HTTP and by event', async () => {
    const deviceId = playReadyId();
    const called = terms({ cookie: bound(deviceId), deviceId: deviceId.toUpperCase(), kids: [kid] });
    expect(await issuer.ask(requests.acceptPurchase, called)).toMatchObject({ state: 'issued', deviceId });
    expect(await issuer.ask(requests.acceptPurchase, { ...called, deviceId })).toMatchObject({ state: 'issued', deviceId });
    const heard = terms({ cookie: issuer.neighbours.cookie(), deviceId: deviceId.toUpperCase(), kids: [kid] });
    await issuer.hear(completed(heard));
    expect(await issuer.purchase(MERCHANT, heard.purchaseId)).toMatchObject({ state: 'awaiting-device', deviceId });
    await issuer.hear(registered(issuer.neighbours.bind(heard.cookie, deviceId, 'asserted')));
    expect(await issuer.purchase(MERCHANT, heard.purchaseId)).toMatchObject({ state: 'issued', deviceId });
  });

  it('names the same device in either case, in a request for a token', async () => {
    const deviceId = playReadyId();
    const given = {
      merchantId: MERCHANT,
      cookie: bound(deviceId),
      contentId: 'film-42',
      kids: [kid],
      rights: { type: 'purchase' as const },
      idempotencyKey: `case-${newPurchaseId()}`,
    };
    const view = await issuer.ask(requests.issueToken, { ...given, deviceId: deviceId.toUpperCase() });
    expect(view.deviceId).toBe(deviceId);
    expect(await issuer.ask(requests.issueToken, { ...given, deviceId })).toEqual(view);
  });
});

describe('putContentKey', () => {
  it('stores a key wrapped, takes the same again and refuses another', async () => {
    const key = '5a'.repeat(16);
    const ref = { merchantId: MERCHANT, kid: '9'.repeat(32) };
    expect(await issuer.ask(requests.putContentKey, { ...ref, key })).toEqual({ created: true });
    expect(await issuer.ask(requests.putContentKey, { ...ref, key: key.toUpperCase() })).toEqual({ created: false });
    expect(await issuer.refusal(requests.putContentKey, { ...ref, key: '00'.repeat(16) })).toBe('content-key-differs 409');
    expect(await issuer.ask(requests.putContentKey, { ...ref, merchantId: 'other', key: '00'.repeat(16) })).toEqual({ created: true });
    const [row] = await issuer.rows<{ wrapped_key: string }>('select * from content_keys where kid = $1 and merchant_id = $2', [ref.kid, MERCHANT]);
    expect(row!.wrapped_key).toMatch(/^k1\./);
    expect(JSON.stringify(row)).not.toContain(key);
  });
});

describe('issueRegistrationToken', () => {
  it('carries what binding needs, and no more time than ten minutes or the cookie have', async () => {
    const cookie = issuer.neighbours.cookie();
    const view = await issuer.ask(requests.issueRegistrationToken, { merchantId: MERCHANT, cookie });
    const read = readToken(view.token);
    if (!read.ok || read.kind !== 'registration') throw new Error('no registration token');
    const { cookie_exp, exp, iat } = read.claims;
    expect(read.claims).toMatchObject({ merchant: MERCHANT, account: 'alice', cookie, aud: LICENSE_URL });
    expect(cookie_exp).toBe(Math.floor(Date.parse(issuer.neighbours.cookies.get(cookie)!.expiresAt) / 1000));
    expect(exp - iat).toBe(600);
    expect(view).toMatchObject({ licenseUrl: LICENSE_URL, expiresAt: new Date(exp * 1000).toISOString() });
    const { keys } = await issuer.ask(requests.getJwks, {});
    expect(keys.map((key) => key.kid)).toContain(read.keyId);
  });

  it('can be narrowed to one key', async () => {
    const { deviceId } = generateDeviceKey();
    const { token } = await issuer.ask(requests.issueRegistrationToken, { merchantId: MERCHANT, cookie: issuer.neighbours.cookie(), deviceId });
    const read = readToken(token);
    expect(read.ok && read.claims).toMatchObject({ cnf: { jkt: deviceId } });
  });

  it.each([
    ['an unknown cookie', 'cookie-unknown 404', () => ({ cookie: 'nobody-knows-this' })],
    ['an expired cookie', 'cookie-expired 409', () => ({ cookie: issuer.neighbours.cookie({ ttlMs: -1 }) })],
    ['a bound cookie', 'cookie-bound 409', () => ({ cookie: issuer.neighbours.bind(issuer.neighbours.cookie()).cookie })],
    ['a device id that no key has', 'invalid-request 400', () => ({ cookie: issuer.neighbours.cookie(), deviceId: 'no-thumbprint' })],
  ])('refuses %s', async (_, refusal, given) => {
    expect(await issuer.refusal(requests.issueRegistrationToken, { merchantId: MERCHANT, ...given() })).toBe(refusal);
  });
});

it('says nothing of a purchase that was refused to its caller', () => {
  expect(issuer.heardOf(PurchaseRejected).filter(({ code }) => code !== 'cookie-unknown')).toEqual([]);
});

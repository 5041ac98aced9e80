import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, Issuer, registered, terms } from './issuer.js';
import { ACME, AUTHENTICATOR, buy, newDrmId, untilState, upstreamEnv } from './upstream-merchant.js';
import { UpstreamStub } from './upstream-stub.js';

let database: TestDatabase;
let stub: UpstreamStub;
let issuer: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  stub = await UpstreamStub.start();
  issuer = await Issuer.start(database.url, { env: upstreamEnv(stub) });
});
afterEach(() => stub.recover());
afterAll(async () => {
  await issuer.stop();
  await stub.stop();
  await database.drop();
});

const newCookie = (): string => issuer.neighbours.cookie({ merchantId: ACME });
const register = (cookie: string) => issuer.ask(requests.issueRegistrationToken, { merchantId: ACME, cookie });
const remembered = (cookie: string) => issuer.rows<{ attempts: number; last_failure: string | null }>('select attempts, last_failure from upstream_registrations where cookie = $1', [cookie]);
const makeDue = (cookie: string) => issuer.rows('update upstream_registrations set due_at = clock_timestamp() where cookie = $1', [cookie]);
const recordsAskedFor = (cookie: string) => stub.asked.filter(({ query }) => query.get('cookie') === cookie);

describe('a registration token of a merchant with a provider', () => {
  it('is the provider’s, for content that does not exist, with the cookie and no device', async () => {
    const cookie = newCookie();
    const view = await register(cookie);
    expect(view).toEqual({ token: stub.given.at(-1), licenseUrl: 'https://licensing.example/LicensingService.ashx', expiresAt: expect.any(String) });
    const [asked] = stub.tokensAskedFor(cookie);
    expect(Object.fromEntries(asked!.form)).toEqual({
      customerAuthenticator: AUTHENTICATOR,
      errorFormat: 'json',
      cookie,
      kid: expect.stringMatching(/^[0-9a-f]{32}$/),
      contentKey: expect.stringMatching(/^[0-9a-f]{32}$/),
      expirationTime: expect.stringMatching(/^\+(?:59\d|600)$/),
      rightsType: 'BuyToOwn',
    });
    await register(cookie);
    const [first, second] = stub.tokensAskedFor(cookie);
    expect(second!.form.get('contentKey')).not.toBe(first!.form.get('contentKey'));
  });

  it('has the device that redeems it bound, and a purchase that waits for it issued', async () => {
    const cookie = newCookie();
    await register(cookie);
    const purchase = await buy(issuer, cookie);
    const deviceId = newDrmId();
    stub.devices.set(cookie, deviceId.toUpperCase());
    await makeDue(cookie);
    await eventually(() => expect(issuer.neighbours.bindings.get(cookie)).toMatchObject({ deviceId, evidence: 'asserted' }));
    await issuer.hear(registered(issuer.neighbours.bindings.get(cookie)!));
    await untilState(issuer, purchase.purchaseId, 'issued');
    expect(await issuer.purchase(ACME, purchase.purchaseId)).toMatchObject({ deviceId });
    await eventually(async () => expect(await remembered(cookie)).toEqual([]));
  });

  it('has its cookie asked for at once when a purchase comes, or is looked up', async () => {
    const cookie = newCookie();
    await register(cookie);
    await eventually(async () => expect(await remembered(cookie)).toMatchObject([{ attempts: 1 }]));
    const far = () => issuer.rows(`update upstream_registrations set due_at = clock_timestamp() + interval '1 hour', lease_id = null where cookie = $1`, [cookie]);
    await far();
    const purchase = await buy(issuer, cookie);
    await eventually(async () => expect(await remembered(cookie)).toMatchObject([{ attempts: 2 }]));
    await eventually(async () => expect(await issuer.rows('select 1 from upstream_registrations where cookie = $1 and lease_id is null', [cookie])).toHaveLength(1));
    await far();
    await issuer.purchase(ACME, purchase.purchaseId);
    await eventually(async () => expect(await remembered(cookie)).toMatchObject([{ attempts: 3 }]));
  });

  it('is not asked for any more when no device can have redeemed it', async () => {
    const cookie = newCookie();
    await register(cookie);
    await issuer.rows(`update upstream_registrations set token_expires_at = clock_timestamp() - interval '11 minutes', due_at = clock_timestamp() where cookie = $1`, [cookie]);
    await eventually(async () => expect(await remembered(cookie)).toEqual([]));
    expect(recordsAskedFor(cookie).length).toBeGreaterThan(0);
  });

  it('is asked for until the cookie expires while the provider does not answer', async () => {
    const cookie = newCookie();
    await register(cookie);
    await eventually(async () => expect(await issuer.rows('select 1 from upstream_registrations where cookie = $1 and attempts = 1 and lease_id is null', [cookie])).toHaveLength(1));
    stub.breakOff();
    await issuer.rows(`update upstream_registrations set token_expires_at = clock_timestamp() - interval '11 minutes', due_at = clock_timestamp() where cookie = $1`, [cookie]);
    await eventually(async () => expect(await remembered(cookie)).toMatchObject([{ last_failure: expect.stringMatching(/^unavailable/) }]));
    await issuer.rows(`update upstream_registrations set cookie_expires_at = clock_timestamp(), due_at = clock_timestamp() where cookie = $1`, [cookie]);
    await eventually(async () => expect(await remembered(cookie)).toEqual([]));
    stub.recover();
    // The circuit has closed again before the next test asks.
    await eventually(async () => void (await register(newCookie())));
  });

  it('is remembered when it is asked for again while its last question is under way', async () => {
    const cookie = newCookie();
    await register(cookie);
    await eventually(async () => expect(await issuer.rows('select 1 from upstream_registrations where cookie = $1 and attempts = 1 and lease_id is null', [cookie])).toHaveLength(1));
    const asked = new Promise<void>((resolve, reject) => {
      stub.answering = async (request, response) => {
        if (request.query.get('cookie') !== cookie) return stub.answer(request, response);
        stub.recover();
        await register(cookie).then(() => resolve(), reject);
        stub.answer(request, response);
      };
    });
    await issuer.rows(`update upstream_registrations set due_at = clock_timestamp(), token_expires_at = clock_timestamp() - interval '1 hour' where cookie = $1`, [cookie]);
    await asked;
    await eventually(() => expect(recordsAskedFor(cookie).length).toBeGreaterThan(2));
    stub.devices.set(cookie, newDrmId());
    await makeDue(cookie);
    await eventually(() => expect(issuer.neighbours.bindings.has(cookie)).toBe(true));
  });

  it('binds nothing that is no device of its DRM', async () => {
    const cookie = newCookie();
    stub.devices.set(cookie, 'not-hex');
    await register(cookie);
    await eventually(async () => expect(await remembered(cookie)).toMatchObject([{ last_failure: 'refused: no device id of its DRM' }]));
    expect(issuer.neighbours.bindings.has(cookie)).toBe(false);
  });

  it.each<[string, () => void, string]>([
    ['does not answer', () => stub.breakOff(), 'unavailable 503'],
    ['does not take the credential', () => stub.refuse(401, -2017), 'unavailable 503'],
    ['has no such token', () => stub.refuse(400, -2020), 'unsupported-upstream 409'],
  ])('is refused where the provider %s, and nothing is remembered', async (_, fail, refusal) => {
    const cookie = newCookie();
    await eventually(async () => void (await register(newCookie())));
    fail();
    expect(await issuer.refusal(requests.issueRegistrationToken, { merchantId: ACME, cookie })).toBe(refusal);
    expect(await remembered(cookie)).toEqual([]);
  });

  it('is refused for one device alone, and for a cookie that is bound or over', async () => {
    const ask = (cookie: string, deviceId?: string) => issuer.refusal(requests.issueRegistrationToken, { merchantId: ACME, cookie, deviceId });
    const thumbprint = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
    expect(await ask(newCookie(), thumbprint)).toBe('invalid-request 400');
    const bound = newCookie();
    issuer.neighbours.bind(bound, newDrmId(), 'asserted');
    expect(await ask(bound)).toBe('cookie-bound 409');
    expect(await ask(issuer.neighbours.cookie({ merchantId: ACME, ttlMs: -1 }))).toBe('cookie-expired 409');
  });
});

describe('another merchant', () => {
  it('has registration tokens that are signed here, and nobody is asked', async () => {
    const cookie = issuer.neighbours.cookie();
    const before = stub.asked.length;
    const { token } = await issuer.ask(requests.issueRegistrationToken, { merchantId: 'default', cookie });
    expect(token.split('.')).toHaveLength(3);
    await issuer.hear(completed(terms({ cookie, kids: [await issuer.kid()] })));
    expect(stub.asked.slice(before).filter(({ form, query }) => [form.get('cookie'), query.get('cookie')].includes(cookie))).toEqual([]);
  });
});

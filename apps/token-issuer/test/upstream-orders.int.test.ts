import { PurchaseRejected, requests, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, Issuer, LICENSE_URL, MERCHANT, refunded, registered, revoked, terms } from './issuer.js';
import { ACME, AUTHENTICATOR, boundCookie, buy, makeDue, newDrmId, orderOf, untilState, upstreamEnv } from './upstream-merchant.js';
import { type Asked, UpstreamStub } from './upstream-stub.js';

let database: TestDatabase;
let stub: UpstreamStub;
let issuer: Issuer;
/** A second replica on the same database. */
let other: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  stub = await UpstreamStub.start();
  issuer = await Issuer.start(database.url, { env: upstreamEnv(stub) });
  other = await Issuer.start(database.url, { env: upstreamEnv(stub), neighbours: issuer.neighbours });
});
afterEach(() => stub.recover());
afterAll(async () => {
  await Promise.all([issuer.stop(), other.stop()]);
  await stub.stop();
  await database.drop();
});

const tokenOf = (purchaseId: string) => issuer.ask(requests.getPurchaseToken, { merchantId: ACME, purchaseId });

/** Lets a test do something while the provider has been asked and has not answered. */
function whileAsked(meanwhile: (asked: Asked) => Promise<unknown>): Promise<void> {
  return new Promise((resolve, reject) => {
    stub.answering = async (asked, response) => {
      stub.recover();
      await meanwhile(asked).then(() => resolve(), reject);
      stub.answer(asked, response);
    };
  });
}

describe('a purchase of a merchant with a provider', () => {
  it('has the provider’s token, restricted to its device, and the provider’s URL', async () => {
    const { cookie, deviceId } = await boundCookie(issuer);
    const purchase = await buy(issuer, cookie);
    const [event] = await eventually(() => {
      const found = [issuer, other].flatMap((one) => one.heardOf(TokenIssued, { purchaseId: purchase.purchaseId }));
      if (found.length === 0) throw new Error('no token yet');
      return found;
    });
    expect(event).toMatchObject({ merchantId: ACME, deviceId, cookie, kids: purchase.kids });
    const token = await tokenOf(purchase.purchaseId);
    expect(token).toMatchObject({ tokenId: event!.tokenId, deviceId, licenseUrl: 'https://licensing.example/LicensingService.ashx', expiresAt: event!.expiresAt });
    expect(stub.given).toContain(token.token);
    const [asked, ...more] = stub.tokensAskedFor(cookie);
    expect(more).toEqual([]);
    expect(Object.fromEntries(asked!.form)).toEqual({
      customerAuthenticator: AUTHENTICATOR,
      errorFormat: 'json',
      cookie,
      deviceId,
      kid: purchase.kids[0],
      contentKey: expect.stringMatching(/^[0-9a-f]{32}$/),
      expirationTime: expect.stringMatching(/^\+8639\d$|^\+86400$/),
      rightsType: 'BuyToOwn',
    });
    expect(await orderOf(issuer, purchase.purchaseId)).toBeUndefined();
  });

  it('meets its device when that comes later', async () => {
    const cookie = issuer.neighbours.cookie({ merchantId: ACME });
    const purchase = await buy(issuer, cookie);
    await issuer.hear(registered(issuer.neighbours.bind(cookie, newDrmId(), 'asserted')));
    await untilState(issuer, purchase.purchaseId, 'issued');
    expect(stub.tokensAskedFor(cookie)).toHaveLength(1);
  });

  it('is ordered once, however often it and its device are delivered and looked up', async () => {
    stub.breakOff();
    const { cookie, binding } = await boundCookie(issuer);
    const purchase = await buy(issuer, cookie);
    await issuer.hear(completed(purchase), registered(binding));
    expect(await issuer.purchase(ACME, purchase.purchaseId)).toMatchObject({ state: 'awaiting-device' });
    const [row] = await issuer.rows<{ count: number }>('select count(*)::int as count from upstream_orders where purchase_id = $1', [purchase.purchaseId]);
    expect(row).toEqual({ count: 1 });
    stub.recover();
    await makeDue(issuer, purchase.purchaseId);
    await untilState(issuer, purchase.purchaseId, 'issued');
    await eventually(() => expect([issuer, other].flatMap((one) => one.heardOf(TokenIssued, { purchaseId: purchase.purchaseId }))).toHaveLength(1));
  });

  it('is refused with several kids, which no one token there has', async () => {
    const { cookie } = await boundCookie(issuer);
    const purchase = terms({ merchantId: ACME, cookie, kids: [await issuer.kid(ACME), await issuer.kid(ACME)] });
    expect(await issuer.refusal(requests.acceptPurchase, purchase)).toBe('unsupported-upstream 409');
    await issuer.hear(completed(purchase));
    expect(await issuer.purchase(ACME, purchase.purchaseId)).toMatchObject({ state: 'rejected', code: 'unsupported-upstream' });
  });

  it('is not ordered before it is for sale', async () => {
    const { cookie } = await boundCookie(issuer);
    const availableFrom = new Date(Date.now() + 3_600_000).toISOString();
    const { purchaseId } = await buy(issuer, cookie, { rights: { type: 'purchase', availableFrom } });
    const [row] = await issuer.rows<{ due_at: Date; attempts: number }>('select due_at, attempts from upstream_orders where purchase_id = $1', [purchaseId]);
    expect(row).toEqual({ due_at: new Date(availableFrom), attempts: 0 });
  });

  it('of a device that has proved a key has a token that is signed here, of several kids too', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie({ merchantId: ACME }));
    await issuer.hear(registered(binding));
    const purchase = await buy(issuer, binding.cookie, { kids: [await issuer.kid(ACME), await issuer.kid(ACME)] });
    expect((await tokenOf(purchase.purchaseId)).licenseUrl).toBe(LICENSE_URL);
    await issuer.rows(`update tokens set issued_at = issued_at - interval '2 days', expires_at = clock_timestamp() where purchase_id = $1`, [purchase.purchaseId]);
    expect((await tokenOf(purchase.purchaseId)).licenseUrl).toBe(LICENSE_URL);
    expect(stub.tokensAskedFor(binding.cookie)).toEqual([]);
  });

  it('that was accepted with several kids, before there was a provider, is signed here', async () => {
    const { cookie } = await boundCookie(issuer);
    const kids = [await issuer.kid(ACME), await issuer.kid(ACME)];
    const { purchaseId } = await buy(issuer, issuer.neighbours.cookie({ merchantId: ACME }), { kids: [kids[0]!] });
    await issuer.rows('update purchases set kids = $2, cookie = $3 where purchase_id = $1', [purchaseId, kids, cookie]);
    expect(await issuer.purchase(ACME, purchaseId)).toMatchObject({ state: 'issued' });
    expect((await tokenOf(purchaseId)).licenseUrl).toBe(LICENSE_URL);
    expect(stub.tokensAskedFor(cookie)).toEqual([]);
  });

  it('does not concern another merchant', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    const purchase = terms({ cookie: binding.cookie, kids: [await issuer.kid()] });
    await issuer.hear(registered(binding), completed(purchase));
    const token = await issuer.ask(requests.getPurchaseToken, { merchantId: MERCHANT, purchaseId: purchase.purchaseId });
    expect(token.licenseUrl).toBe(LICENSE_URL);
    expect(stub.tokensAskedFor(binding.cookie)).toEqual([]);
  });
});

describe('a provider that does not answer', () => {
  it('keeps a purchase waiting, which is issued when it is back', async () => {
    stub.breakOff();
    const { cookie } = await boundCookie(issuer);
    const purchase = await buy(issuer, cookie);
    await eventually(async () => expect(await orderOf(issuer, purchase.purchaseId)).toMatchObject({ last_failure: expect.stringMatching(/^unavailable: /) }));
    expect(await issuer.refusal(requests.getPurchaseToken, { merchantId: ACME, purchaseId: purchase.purchaseId })).toBe('token-not-issued 404');
    stub.recover();
    await untilState(issuer, purchase.purchaseId, 'issued');
  });

  it('is asked again after a minute when it refuses at last, however often it was asked before', async () => {
    stub.breakOff();
    const { cookie } = await boundCookie(issuer);
    const { purchaseId } = await buy(issuer, cookie);
    await eventually(async () => expect(await orderOf(issuer, purchaseId)).toMatchObject({ last_failure: expect.stringMatching(/^unavailable: /) }));
    await issuer.rows('update upstream_orders set attempts = 50, due_at = clock_timestamp() where purchase_id = $1', [purchaseId]);
    stub.refuse(403, -4010);
    await eventually(async () => expect(await orderOf(issuer, purchaseId)).toEqual({ attempts: 1, last_failure: 'refused: -4010' }));
    stub.recover();
    await makeDue(issuer, purchaseId);
    await untilState(issuer, purchaseId, 'issued');
  });

  it('keeps a refused purchase too, and asks seldom', async () => {
    stub.refuse(400, -5004);
    const { cookie } = await boundCookie(issuer);
    const purchase = await buy(issuer, cookie);
    await eventually(async () => expect(await orderOf(issuer, purchase.purchaseId)).toEqual({ attempts: 1, last_failure: 'refused: -5004' }));
    const [row] = await issuer.rows<{ seconds: number }>('select extract(epoch from due_at - clock_timestamp())::float8 as seconds from upstream_orders where purchase_id = $1', [purchase.purchaseId]);
    expect(row!.seconds).toBeGreaterThan(30);
    expect(await issuer.purchase(ACME, purchase.purchaseId)).toMatchObject({ state: 'awaiting-device' });
    await issuer.metrics.expose();
    stub.recover();
    await makeDue(issuer, purchase.purchaseId);
    await untilState(issuer, purchase.purchaseId, 'issued');
  });
});

describe('a rental that ends before its token is there', () => {
  const rights = { type: 'rental' as const, availableUntil: new Date(Date.now() + 3_600_000).toISOString(), playDurationSeconds: 60 };

  it('is rejected, and not asked for again and again', async () => {
    stub.refuse(400, -2021);
    const { cookie } = await boundCookie(issuer);
    const { purchaseId } = await buy(issuer, cookie, { rights });
    await eventually(async () => expect(await orderOf(issuer, purchaseId)).toEqual({ attempts: 1, last_failure: 'refused: -2021' }));
    await issuer.rows('update purchases set rights = $2 where purchase_id = $1', [purchaseId, { ...rights, availableUntil: '2026-01-01T00:00:00Z' }]);
    await makeDue(issuer, purchaseId);
    await untilState(issuer, purchaseId, 'rejected');
    expect(await issuer.purchase(ACME, purchaseId)).toMatchObject({ code: 'unsupported-upstream' });
    await eventually(() => expect([issuer, other].flatMap((one) => one.heardOf(PurchaseRejected, { purchaseId }))).toHaveLength(1));
    expect(stub.tokensAskedFor(cookie)).toHaveLength(1);
    expect(await orderOf(issuer, purchaseId)).toBeUndefined();
  });
});

describe('what comes while a provider is asked', () => {
  it('a refund: there is no token', async () => {
    const { cookie } = await boundCookie(issuer);
    const purchase = terms({ merchantId: ACME, cookie, kids: [await issuer.kid(ACME)] });
    const done = whileAsked(() => issuer.hear(refunded(purchase)));
    await issuer.hear(completed(purchase));
    await done;
    await eventually(async () => expect(await orderOf(issuer, purchase.purchaseId)).toBeUndefined());
    expect(await issuer.purchase(ACME, purchase.purchaseId)).toMatchObject({ state: 'refunded' });
    expect(await issuer.rows('select 1 from tokens where purchase_id = $1', [purchase.purchaseId])).toEqual([]);
  });

  it('a revocation: the purchase is rejected', async () => {
    const { cookie, binding } = await boundCookie(issuer);
    const purchase = terms({ merchantId: ACME, cookie, kids: [await issuer.kid(ACME)] });
    const done = whileAsked(() => issuer.hear(revoked(binding)));
    await issuer.hear(completed(purchase));
    await done;
    await untilState(issuer, purchase.purchaseId, 'rejected');
    expect(await issuer.purchase(ACME, purchase.purchaseId)).toMatchObject({ code: 'device-revoked' });
    await eventually(() => expect([issuer, other].flatMap((one) => one.heardOf(PurchaseRejected, { purchaseId: purchase.purchaseId }))).toHaveLength(1));
    expect(await issuer.rows('select 1 from tokens where purchase_id = $1', [purchase.purchaseId])).toEqual([]);
  });

  it('the end of its lease, and another replica: one token, the other’s', async () => {
    const { cookie } = await boundCookie(issuer);
    const purchase = terms({ merchantId: ACME, cookie, kids: [await issuer.kid(ACME)] });
    const done = whileAsked(async () => {
      await makeDue(issuer, purchase.purchaseId);
      await untilState(issuer, purchase.purchaseId, 'issued');
    });
    await issuer.hear(completed(purchase));
    await done;
    await eventually(() => expect(stub.tokensAskedFor(cookie)).toHaveLength(2));
    const { token } = await tokenOf(purchase.purchaseId);
    expect(stub.given.slice(-2)[0]).toBe(token);
    expect(await issuer.liveTokens(purchase.purchaseId, ACME)).toHaveLength(1);
    expect([issuer, other].flatMap((one) => one.heardOf(TokenRevoked, { purchaseId: purchase.purchaseId }))).toEqual([]);
  });

  it('the end of the process before its commit: one token in the end', async () => {
    // The statement that would store the token fails once, and with it all that the transaction has done.
    await issuer.rows(`create function die_once() returns trigger language plpgsql as
      $$ begin if nextval('die_once') = 1 then raise exception 'killed'; end if; return new; end $$`);
    await issuer.rows('create sequence die_once');
    await issuer.rows('create trigger die_once before insert on tokens for each row execute function die_once()');
    try {
      const { cookie } = await boundCookie(issuer);
      const purchase = await buy(issuer, cookie);
      await eventually(async () => expect(await issuer.rows('select 1 from pg_sequences where sequencename = $1 and last_value = 1', ['die_once'])).toHaveLength(1));
      expect(await orderOf(issuer, purchase.purchaseId)).toMatchObject({ attempts: 1 });
      await makeDue(issuer, purchase.purchaseId);
      await untilState(issuer, purchase.purchaseId, 'issued');
      expect(stub.tokensAskedFor(cookie)).toHaveLength(2);
      expect(await issuer.liveTokens(purchase.purchaseId, ACME)).toHaveLength(1);
      expect((await tokenOf(purchase.purchaseId)).token).toBe(stub.given.at(-1));
    } finally {
      await issuer.rows('drop trigger die_once on tokens');
    }
  });

  it('many purchases, at two replicas: each has one token', async () => {
    const cookies = await Promise.all(Array.from({ length: 25 }, () => boundCookie(issuer)));
    const kid = await issuer.kid(ACME);
    const purchases = cookies.map(({ cookie }) => terms({ merchantId: ACME, cookie, kids: [kid] }));
    await Promise.all([issuer.hear(...purchases.slice(0, 13).map((one) => completed(one))), other.hear(...purchases.slice(13).map((one) => completed(one)))]);
    for (const { purchaseId, cookie } of purchases) {
      await untilState(issuer, purchaseId, 'issued');
      expect(stub.tokensAskedFor(cookie)).toHaveLength(1);
    }
  });
});

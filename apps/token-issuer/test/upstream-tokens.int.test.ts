import { requests, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Issuer, refunded, revoked } from './issuer.js';
import { ACME, boundCookie, buy, newDrmId, untilState, upstreamEnv } from './upstream-merchant.js';
import { UpstreamStub } from './upstream-stub.js';

let database: TestDatabase;
let stub: UpstreamStub;
let issuer: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  stub = await UpstreamStub.start();
  issuer = await Issuer.start(database.url, { env: upstreamEnv(stub, { drm: 'wv', securityLevel: 3 }) });
});
afterEach(async () => {
  stub.recover();
  // The circuit is closed again before the next test asks.
  await eventually(() => issuer.ask(requests.issueRegistrationToken, { merchantId: ACME, cookie: issuer.neighbours.cookie({ merchantId: ACME }) }));
});
afterAll(async () => {
  await issuer.stop();
  await stub.stop();
  await database.drop();
});

/** Does something when the provider is asked for a token next, before it answers. */
function beforeNextAnswer(meanwhile: () => Promise<unknown>): void {
  stub.answering = async (asked, response) => {
    // Records of the cookies of other tests are asked for in the background, at any time.
    if (!asked.path.endsWith('/token')) return stub.answer(asked, response);
    stub.recover();
    await meanwhile();
    stub.answer(asked, response);
  };
}

describe('the token of a purchase that is soon over', () => {
  const tokenOf = (purchaseId: string) => issuer.ask(requests.getPurchaseToken, { merchantId: ACME, purchaseId });
  /** A purchase whose token ends in so many seconds, and is due for renewal. */
  async function soonOver(seconds: number) {
    const { cookie, binding } = await boundCookie(issuer);
    const purchase = await buy(issuer, cookie);
    await untilState(issuer, purchase.purchaseId, 'issued');
    const { token } = await tokenOf(purchase.purchaseId);
    await issuer.rows(`update tokens set issued_at = clock_timestamp() - interval '2 days', expires_at = clock_timestamp() + make_interval(secs => $2) where purchase_id = $1`, [purchase.purchaseId, seconds]);
    return { purchase, cookie, binding, token };
  }

  it('is replaced by another one from the provider', async () => {
    const { purchase, cookie, token } = await soonOver(60);
    const renewed = await tokenOf(purchase.purchaseId);
    expect(renewed).toMatchObject({ token: stub.given.at(-1), licenseUrl: 'https://rights.example/hms/wv/rights/' });
    expect(renewed.token).not.toBe(token);
    expect(stub.tokensAskedFor(cookie).map(({ form }) => form.get('securityLevel'))).toEqual(['3', '3']);
    expect(await issuer.liveTokens(purchase.purchaseId, ACME)).toEqual([{ token_id: renewed.tokenId }]);
    await issuer.said(TokenRevoked, 1, { purchaseId: purchase.purchaseId, reason: 'superseded' });
    expect((await tokenOf(purchase.purchaseId)).token).toBe(renewed.token);
  });

  it('is replaced once by two that ask at a time', async () => {
    const { purchase } = await soonOver(60);
    const [one, other] = await Promise.all([tokenOf(purchase.purchaseId), tokenOf(purchase.purchaseId)]);
    expect(one.tokenId).toBe(other.tokenId);
    await issuer.said(TokenIssued, 2, { purchaseId: purchase.purchaseId });
    expect(await issuer.liveTokens(purchase.purchaseId, ACME)).toHaveLength(1);
  });

  it('is given as it is when its rental is over, and the provider is not asked', async () => {
    const { purchase, cookie, token } = await soonOver(-1);
    const over = { type: 'rental', availableUntil: '2026-01-01T00:00:00Z', playDurationSeconds: 60 };
    await issuer.rows('update purchases set rights = $2 where purchase_id = $1', [purchase.purchaseId, over]);
    expect((await tokenOf(purchase.purchaseId)).token).toBe(token);
    expect(stub.tokensAskedFor(cookie)).toHaveLength(1);
  });

  it('is given as it is while the provider does not answer and it works', async () => {
    const { purchase, token } = await soonOver(60);
    stub.breakOff();
    expect((await tokenOf(purchase.purchaseId)).token).toBe(token);
  });

  it('is not given when it works no more and the provider does not answer', async () => {
    const { purchase } = await soonOver(-1);
    stub.breakOff();
    expect(await issuer.refusal(requests.getPurchaseToken, { merchantId: ACME, purchaseId: purchase.purchaseId })).toBe('unavailable 503');
  });

  it('is not replaced when a refund comes while the provider is asked', async () => {
    const { purchase } = await soonOver(60);
    beforeNextAnswer(() => issuer.hear(refunded(purchase)));
    expect(await issuer.refusal(requests.getPurchaseToken, { merchantId: ACME, purchaseId: purchase.purchaseId })).toBe('purchase-refunded 409');
    expect(await issuer.liveTokens(purchase.purchaseId, ACME)).toEqual([]);
  });

  it.each<[string, (sold: Awaited<ReturnType<typeof soonOver>>) => Promise<unknown>, string]>([
    ['refund', ({ purchase }) => issuer.hear(refunded(purchase)), 'purchase-refunded 409'],
    ['revocation', ({ binding }) => issuer.hear(revoked(binding)), 'device-revoked 409'],
  ])('is not given as it is when a %s comes while the provider does not answer', async (_, meanwhile, refusal) => {
    const sold = await soonOver(60);
    stub.answering = async (_asked, response) => {
      stub.breakOff();
      await meanwhile(sold);
      response.destroy();
    };
    expect(await issuer.refusal(requests.getPurchaseToken, { merchantId: ACME, purchaseId: sold.purchase.purchaseId })).toBe(refusal);
  });

  it('is not given or replaced when the registry has answered a revocation meanwhile, of which nothing was heard yet', async () => {
    const { purchase, binding } = await soonOver(60);
    beforeNextAnswer(() => Promise.resolve((binding.state = 'revoked')));
    expect(await issuer.refusal(requests.getPurchaseToken, { merchantId: ACME, purchaseId: purchase.purchaseId })).toBe('device-revoked 409');
    expect(await issuer.liveTokens(purchase.purchaseId, ACME)).toHaveLength(1);
  });
});

describe('a token without a purchase', () => {
  const request = async (given: object = {}) => {
    const { cookie, deviceId, binding } = await boundCookie(issuer);
    return { binding, input: { merchantId: ACME, cookie, deviceId, contentId: 'film-42', kids: [await issuer.kid(ACME)], rights: { type: 'purchase' as const }, ...given } };
  };

  it('comes from the provider, and once for an idempotency key', async () => {
    const { input } = await request({ idempotencyKey: crypto.randomUUID(), ttlSeconds: 120 });
    const view = await issuer.ask(requests.issueToken, input);
    expect(view).toMatchObject({ token: stub.given.at(-1), deviceId: input.deviceId, licenseUrl: 'https://rights.example/hms/wv/rights/' });
    expect(stub.tokensAskedFor(input.cookie)[0]!.form.get('expirationTime')).toMatch(/^\+1(?:19|20)$/);
    await issuer.said(TokenIssued, 1, { tokenId: view.tokenId });
    expect(await issuer.ask(requests.issueToken, input)).toEqual(view);
    expect(stub.tokensAskedFor(input.cookie)).toHaveLength(1);
  });

  it('may bring its content key, which is stored when it is issued and not before', async () => {
    const kid = newDrmId();
    const key = newDrmId();
    const { input } = await request({ kids: [kid], keys: { [kid]: key } });
    const stored = () => issuer.rows('select 1 from content_keys where kid = $1', [kid]);
    stub.refuse(400, -5005);
    expect(await issuer.refusal(requests.issueToken, input)).toBe('unsupported-upstream 409');
    expect(await stored()).toEqual([]);
    stub.recover();
    await issuer.ask(requests.issueToken, input);
    expect(await stored()).toHaveLength(1);
    expect(stub.tokensAskedFor(input.cookie).map(({ form }) => form.get('contentKey'))).toEqual([key, key]);
  });

  it('is not issued when its device is revoked while the provider is asked', async () => {
    const { input, binding } = await request();
    beforeNextAnswer(() => issuer.hear(revoked(binding)));
    expect(await issuer.refusal(requests.issueToken, input)).toBe('device-revoked 409');
    expect(await issuer.rows('select 1 from tokens where device_id = $1', [input.deviceId])).toEqual([]);
  });

  it('is not issued when the registry has answered a revocation meanwhile, of which nothing was heard yet', async () => {
    const { input, binding } = await request();
    beforeNextAnswer(() => Promise.resolve((binding.state = 'revoked')));
    expect(await issuer.refusal(requests.issueToken, input)).toBe('device-revoked 409');
    expect(await issuer.rows('select 1 from tokens where device_id = $1', [input.deviceId])).toEqual([]);
  });

  it('is refused where a token there cannot say it, without asking', async () => {
    const { input } = await request();
    const several = { ...input, kids: [...input.kids, await issuer.kid(ACME)] };
    const later = { ...input, rights: { type: 'purchase' as const, availableFrom: new Date(Date.now() + 60_000).toISOString() } };
    const over = { ...input, rights: { type: 'rental' as const, availableUntil: '2026-01-01T00:00:00Z', playDurationSeconds: 60 } };
    for (const one of [several, later, over]) expect(await issuer.refusal(requests.issueToken, one)).toBe('unsupported-upstream 409');
    expect(stub.tokensAskedFor(input.cookie)).toEqual([]);
  });

  it('is refused for a while where the provider does not answer, and is tried twice', async () => {
    const { input } = await request();
    // Questions for records, which jobs ask meanwhile, are answered: they would open the circuit before the second attempt.
    stub.answering = (asked, response) => (asked.path.endsWith('/token') ? void response.destroy() : stub.answer(asked, response));
    expect(await issuer.refusal(requests.issueToken, input)).toBe('unavailable 503');
    expect(stub.tokensAskedFor(input.cookie)).toHaveLength(2);
  });
});

describe('a token from elsewhere', () => {
  it('is not listed for a key, needs no KEK, and ends with its device', async () => {
    const { cookie, binding, deviceId } = await boundCookie(issuer);
    const { purchaseId } = await buy(issuer, cookie);
    await untilState(issuer, purchaseId, 'issued');
    const [row] = await issuer.rows('select kek_ids, signing_key_id from tokens where purchase_id = $1', [purchaseId]);
    expect(row).toEqual({ kek_ids: [], signing_key_id: null });
    expect(await issuer.refusal(requests.listDeviceTokens, { merchantId: ACME, cookie, deviceId })).toBe('cookie-bound-elsewhere 403');
    expect(await issuer.ask(requests.listDeviceTokens, { merchantId: ACME, cookie: issuer.neighbours.cookie({ merchantId: ACME }), deviceId })).toEqual({ tokens: [], more: false });
    await issuer.hear(revoked(binding));
    await issuer.said(TokenRevoked, 1, { purchaseId, reason: 'device-revoked' });
    expect(await issuer.refusal(requests.getPurchaseToken, { merchantId: ACME, purchaseId })).toBe('device-revoked 409');
  });
});

describe('a sale of which a purchase comes as well', () => {
  const ask = async () => {
    const { cookie, deviceId } = await boundCookie(issuer);
    return { merchantId: ACME, cookie, deviceId, contentId: 'film-42', kid: newDrmId(), key: newDrmId(), rights: { type: 'purchase' as const }, ttlSeconds: 600 };
  };

  it('has one token from the provider, whichever comes first', async () => {
    const input = await ask();
    const view = await issuer.ask(requests.issueCorrelatedToken, input);
    expect(view).toMatchObject({ token: stub.given.at(-1), licenseUrl: 'https://rights.example/hms/wv/rights/' });
    const { purchaseId } = await buy(issuer, input.cookie, { kids: [input.kid] });
    expect(await issuer.purchase(ACME, purchaseId)).toMatchObject({ state: 'issued', tokenId: view.tokenId });
    expect(await issuer.ask(requests.issueCorrelatedToken, input)).toEqual(view);
    expect(stub.tokensAskedFor(input.cookie)).toHaveLength(1);

    const later = await ask();
    await issuer.ask(requests.putContentKey, { merchantId: ACME, kid: later.kid, key: later.key });
    const first = await buy(issuer, later.cookie, { kids: [later.kid] });
    await untilState(issuer, first.purchaseId, 'issued');
    expect((await issuer.ask(requests.issueCorrelatedToken, later)).token).toBe(stub.given.at(-1));
    expect(stub.tokensAskedFor(later.cookie)).toHaveLength(1);
  });

  it('has one token when the purchase comes while the provider is asked', async () => {
    const input = await ask();
    await issuer.ask(requests.putContentKey, { merchantId: ACME, kid: input.kid, key: input.key });
    let purchaseId = '';
    beforeNextAnswer(async () => {
      ({ purchaseId } = await buy(issuer, input.cookie, { kids: [input.kid] }));
      await untilState(issuer, purchaseId, 'issued');
    });
    const view = await issuer.ask(requests.issueCorrelatedToken, input);
    expect(await issuer.purchase(ACME, purchaseId)).toMatchObject({ tokenId: view.tokenId });
    const live = await issuer.rows('select token_id from tokens where device_id = $1 and superseded_at is null and revoked_at is null', [input.deviceId]);
    expect(live).toEqual([{ token_id: view.tokenId }]);
  });

  it('has one token when it is asked for while a purchase’s is', async () => {
    const input = await ask();
    beforeNextAnswer(async () => {
      const answer = await issuer.bus.ask(requests.issueCorrelatedToken.name, input);
      expect(answer.problem).toMatchObject({ code: 'token-not-issued' });
    });
    await issuer.ask(requests.putContentKey, { merchantId: ACME, kid: input.kid, key: input.key });
    const { purchaseId } = await buy(issuer, input.cookie, { kids: [input.kid] });
    await untilState(issuer, purchaseId, 'issued');
    const view = await issuer.ask(requests.issueCorrelatedToken, input);
    expect(await issuer.purchase(ACME, purchaseId)).toMatchObject({ tokenId: view.tokenId });
    expect(stub.tokensAskedFor(input.cookie)).toHaveLength(1);
  });

  it('has none when the registry has answered a revocation meanwhile, of which nothing was heard yet', async () => {
    const input = await ask();
    beforeNextAnswer(() => Promise.resolve((issuer.neighbours.bindings.get(input.cookie)!.state = 'revoked')));
    expect(await issuer.refusal(requests.issueCorrelatedToken, input)).toBe('device-revoked 409');
    expect(await issuer.rows('select 1 from tokens where device_id = $1', [input.deviceId])).toEqual([]);
  });

  it('is refused where the provider has no such token, and nothing is remembered', async () => {
    const input = await ask();
    stub.refuse(400, -5005);
    expect(await issuer.refusal(requests.issueCorrelatedToken, input)).toBe('unsupported-upstream 409');
    expect(await issuer.rows('select 1 from content_keys where kid = $1', [input.kid])).toEqual([]);
  });
});

import { requests, type RequestInput, type Rights, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { readToken } from '@latchkey/crypto';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdCommit } from './hold-commit.js';
import { completed, Issuer, MERCHANT, newPurchaseId, refunded, registered, revoked, terms } from './issuer.js';

type Input = RequestInput<typeof requests.issueCorrelatedToken>;

let database: TestDatabase;
let issuer: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url);
});

afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

const newHex = (): string => crypto.randomUUID().replaceAll('-', '');
const inHours = (hours: number): string => new Date(Date.now() + hours * 3_600_000).toISOString();
const rental = (untilHours = 240): Rights => ({ type: 'rental', availableUntil: inHours(untilHours), playDurationSeconds: 3600 });
const ask = (input: Input) => issuer.ask(requests.issueCorrelatedToken, input);
const refusal = (input: Input) => issuer.refusal(requests.issueCorrelatedToken, input);

/** A customer with a device that is about to be sold something, and how that is said by the surface and by a checkout. */
function sale({ merchantId = MERCHANT, cookie = issuer.neighbours.cookie({ merchantId }), rights = { type: 'purchase' } as Rights } = {}) {
  const binding = issuer.neighbours.bindings.get(cookie) ?? issuer.neighbours.bind(cookie);
  const kid = newHex();
  const input: Input = { merchantId, cookie, deviceId: binding.deviceId, contentId: `kid:${kid}`, kid, key: newHex(), rights, ttlSeconds: 864_000 };
  return { binding, input, purchase: (purchaseId = newPurchaseId()) => terms({ merchantId, purchaseId, cookie, kids: [kid], rights }) };
}

const liveOf = (cookie: string, merchantId = MERCHANT): Promise<{ token_id: string; purchase_id: string | null }[]> =>
  issuer.rows(
    `select token_id, purchase_id from tokens join known_devices using (merchant_id, device_id) join cookie_joins using (merchant_id, device_id)
     where merchant_id = $1 and cookie = $2 and superseded_at is null and tokens.revoked_at is null order by tokens.issued_at`,
    [merchantId, cookie],
  );

function claimsOf(token: string) {
  const read = readToken(token);
  if (!read.ok || read.kind !== 'content') throw new Error('no content token');
  return read.claims;
}

/** Shifts a token so that it has so many hours left of a life of ten days. */
const age = (tokenId: string, hoursLeft: number) =>
  issuer.rows(
    `update tokens set issued_at = clock_timestamp() - interval '10 days' + make_interval(hours => $2), expires_at = clock_timestamp() + make_interval(hours => $2)
     where token_id = $1`,
    [tokenId, hoursLeft],
  );

describe('the token of a sale', () => {
  it('is issued to the bound device, told without a purchase, and answered as it stands when it is asked for again', async () => {
    const { input, binding } = sale();
    const view = await ask(input);
    expect(view).toMatchObject({ deviceId: binding.deviceId });
    expect(claimsOf(view.token)).toMatchObject({ cookie: input.cookie, content: input.contentId, kids: [input.kid], cnf: { jkt: binding.deviceId } });
    expect(claimsOf(view.token)).not.toHaveProperty('clock');
    expect(await issuer.said(TokenIssued, 1, { tokenId: view.tokenId })).toEqual([expect.not.objectContaining({ purchaseId: expect.anything() })]);
    expect(await ask({ ...input, ttlSeconds: 60, contentId: 'film-42' })).toEqual(view);
    expect(await liveOf(input.cookie)).toEqual([{ token_id: view.tokenId, purchase_id: null }]);
  });

  it('is one for forty who ask at once', async () => {
    const { input } = sale();
    const views = await Promise.all(Array.from({ length: 40 }, () => ask(input)));
    expect(new Set(views.map(({ tokenId }) => tokenId)).size).toBe(1);
    expect(await liveOf(input.cookie)).toHaveLength(1);
  });

  it('is another for another kid and for another type of rights', async () => {
    const { input } = sale();
    const views = [await ask(input), await ask({ ...input, rights: rental() }), await ask({ ...input, kid: newHex() })];
    expect(new Set(views.map(({ tokenId }) => tokenId)).size).toBe(3);
  });

  it('keeps merchants apart whose cookies say the same', async () => {
    const { input } = sale();
    const own = await ask(input);
    const binding = { ...issuer.neighbours.bindings.get(input.cookie)!, merchantId: 'other' };
    const before = [issuer.neighbours.bindings.get(input.cookie)!, issuer.neighbours.cookies.get(input.cookie)!] as const;
    issuer.neighbours.bindings.set(input.cookie, binding);
    issuer.neighbours.cookies.set(input.cookie, { ...before[1], merchantId: 'other' });
    const foreign = await ask({ ...input, merchantId: 'other' });
    expect(foreign.tokenId).not.toBe(own.tokenId);
    const bought = terms({ merchantId: 'other', cookie: input.cookie, kids: [input.kid] });
    await issuer.hear(registered(binding));
    await issuer.hear(completed(bought));
    expect((await issuer.purchase('other', bought.purchaseId)).tokenId).toBe(foreign.tokenId);
    issuer.neighbours.bindings.set(input.cookie, before[0]);
    issuer.neighbours.cookies.set(input.cookie, before[1]);
    expect(await ask(input)).toEqual(own);
    expect(await issuer.liveTokens(bought.purchaseId)).toEqual([]);
  });

  it('is refused to another device, with another key, to a cookie without a device and to a revoked device', async () => {
    const { input, binding } = sale();
    const { tokenId } = await ask(input);
    expect(await refusal({ ...input, deviceId: 'another' })).toBe('device-mismatch 409');
    expect(await refusal({ ...input, key: newHex() })).toBe('content-key-differs 409');
    expect(await refusal({ ...input, cookie: issuer.neighbours.cookie() })).toBe('device-not-registered 409');
    expect(await refusal({ ...input, cookie: 'nobody-knows' })).toBe('cookie-unknown 404');
    issuer.neighbours.bindings.set(input.cookie, { ...binding, state: 'revoked' });
    expect(await refusal(input)).toBe('device-revoked 409');
    await issuer.hear(revoked(binding));
    expect(await refusal(input)).toBe('device-revoked 409');
    expect(await issuer.said(TokenRevoked, 1, { tokenId })).toMatchObject([{ reason: 'device-revoked' }]);
    expect(await liveOf(input.cookie)).toEqual([]);
  });

  it('is renewed in its place, once for many who ask, with what was sold and the clock that runs', async () => {
    const { input } = sale({ rights: rental() });
    const first = await ask(input);
    await age(first.tokenId, 1);
    const views = await Promise.all(Array.from({ length: 10 }, () => ask({ ...input, rights: rental(999) })));
    const [second] = views;
    expect(new Set(views.map(({ tokenId }) => tokenId)).size).toBe(1);
    expect(second!.tokenId).not.toBe(first.tokenId);
    expect(claimsOf(second!.token)).toMatchObject({ clock: first.tokenId, rights: claimsOf(first.token).rights });
    expect(await issuer.said(TokenRevoked, 1, { tokenId: first.tokenId })).toMatchObject([{ reason: 'superseded' }]);
    await age(second!.tokenId, -1000);
    await issuer.rows('delete from tokens where token_id = $1', [second!.tokenId]);
    const third = await ask(input);
    expect(claimsOf(third.token)).toMatchObject({ clock: first.tokenId, rights: claimsOf(first.token).rights });
    expect(await liveOf(input.cookie)).toEqual([{ token_id: third.tokenId, purchase_id: null }]);
  });

  it('is a new one, with a clock of its own, where a rental is over', async () => {
    const { input } = sale({ rights: rental() });
    const first = await ask(input);
    await issuer.rows(`update correlated_tokens set rights = $2 where token_id = $1`, [first.tokenId, JSON.stringify(rental(-1))]);
    const second = await ask({ ...input, rights: rental(48) });
    expect(claimsOf(second.token)).not.toHaveProperty('clock');
    expect(await liveOf(input.cookie)).toEqual([{ token_id: second.tokenId, purchase_id: null }]);
    await age(second.tokenId, 1);
    expect(claimsOf((await ask(input)).token).clock).toBe(second.tokenId);
  });
});

describe('a sale by two ways', () => {
  it('is one token when the purchase comes second: it adopts what there is, tells of it, and its refund ends it', async () => {
    const { input, purchase } = sale();
    const view = await ask(input);
    const bought = purchase();
    expect(await issuer.hear(completed(bought, { correlationid: 'one-act' }))).toEqual(['done']);
    expect(await issuer.purchase(MERCHANT, bought.purchaseId)).toMatchObject({ state: 'issued', tokenId: view.tokenId });
    expect(await issuer.said(TokenIssued, 2, { tokenId: view.tokenId })).toMatchObject([{}, { purchaseId: bought.purchaseId, contentId: 'film-42' }]);
    expect(await liveOf(input.cookie)).toEqual([{ token_id: view.tokenId, purchase_id: bought.purchaseId }]);
    expect(await issuer.ask(requests.getPurchaseToken, bought)).toEqual(view);
    expect(await ask(input)).toEqual(view);
    expect(await issuer.rows('select 1 from correlated_tokens where cookie = $1', [input.cookie])).toEqual([]);
    await issuer.hear(refunded(bought));
    expect(await issuer.said(TokenRevoked, 1, { tokenId: view.tokenId })).toMatchObject([{ reason: 'refunded', purchaseId: bought.purchaseId }]);
    expect(await refusal(input)).toBe('purchase-refunded 409');
    expect(await liveOf(input.cookie)).toEqual([]);
  });

  it('is one token when the purchase comes first, renewed as a purchase’s, until its refund; and one again when it is bought anew', async () => {
    const { input, purchase, binding } = sale();
    await issuer.ask(requests.putContentKey, input);
    await issuer.hear(registered(binding));
    const bought = purchase();
    await issuer.hear(completed(bought));
    const view = await ask(input);
    expect(view.tokenId).toBe((await issuer.purchase(MERCHANT, bought.purchaseId)).tokenId);
    await age(view.tokenId, 1);
    const renewed = await ask(input);
    expect(renewed.tokenId).not.toBe(view.tokenId);
    expect(await liveOf(input.cookie)).toEqual([{ token_id: renewed.tokenId, purchase_id: bought.purchaseId }]);
    await issuer.hear(refunded(bought));
    expect(await refusal(input)).toBe('purchase-refunded 409');
    const again = purchase();
    await issuer.hear(completed(again));
    expect((await ask(input)).tokenId).toBe((await issuer.purchase(MERCHANT, again.purchaseId)).tokenId);
    expect(await liveOf(input.cookie)).toHaveLength(1);
  });

  it('settles a purchase that waits, because the surface hears of the device first', async () => {
    const cookie = issuer.neighbours.cookie();
    const kid = await issuer.kid();
    const bought = terms({ cookie, kids: [kid], rights: rental() });
    await issuer.hear(completed(bought));
    const { deviceId } = issuer.neighbours.bind(cookie);
    const [stored] = await issuer.rows<{ state: string }>('select state from purchases where purchase_id = $1', [bought.purchaseId]);
    expect(stored).toEqual({ state: 'awaiting-device' });
    const key = newHex();
    expect(await refusal({ merchantId: MERCHANT, cookie, deviceId, contentId: 'film-42', kid, key, rights: bought.rights, ttlSeconds: 60 })).toBe('content-key-differs 409');
    const own = newHex();
    const otherKid = newHex();
    await issuer.ask(requests.putContentKey, { merchantId: MERCHANT, kid: otherKid, key: own });
    const second = terms({ cookie, kids: [otherKid], rights: rental() });
    await issuer.hear(completed(second));
    const view = await ask({ merchantId: MERCHANT, cookie, deviceId, contentId: 'film-42', kid: otherKid, key: own, rights: second.rights, ttlSeconds: 60 });
    expect(await issuer.liveTokens(second.purchaseId)).toEqual([{ token_id: view.tokenId }]);
    expect(await issuer.liveTokens(bought.purchaseId)).toHaveLength(1);
  });

  it.each(['token', 'purchase'] as const)('does not become two when the %s is not yet committed', async (held) => {
    const { input, purchase, binding } = sale();
    await issuer.hear(registered(binding));
    await issuer.ask(requests.putContentKey, input);
    const bought = purchase();
    const buy = () => issuer.hear(completed(bought));
    const [view] = held === 'token' ? await holdCommit(issuer, 'tokens', () => ask(input), buy) : (await holdCommit(issuer, 'purchases', buy, () => ask(input))).reverse();
    expect(await liveOf(input.cookie)).toEqual([{ token_id: (view as { tokenId: string }).tokenId, purchase_id: bought.purchaseId }]);
  });

  it('is one token whatever comes at once, many times', async () => {
    const { binding } = sale();
    await issuer.hear(registered(binding));
    for (let round = 0; round < 20; round += 1) {
      const { input, purchase } = sale({ cookie: binding.cookie });
      await issuer.ask(requests.putContentKey, input);
      const bought = purchase();
      const [one, , other] = await Promise.all([ask(input), issuer.hear(completed(bought)), ask(input)]);
      const { tokenId } = await issuer.purchase(MERCHANT, bought.purchaseId);
      expect([one.tokenId, other.tokenId]).toEqual([tokenId, tokenId]);
      expect(await issuer.liveTokens(bought.purchaseId)).toEqual([{ token_id: tokenId }]);
    }
    expect(await liveOf(binding.cookie)).toHaveLength(20);
  });

  it('gives the sale’s token to the first of two purchases in a batch, and the other one of its own', async () => {
    const { input, purchase } = sale();
    const view = await ask(input);
    const [one, other] = [purchase(), purchase()];
    expect(await issuer.hear(completed(one), completed(other), completed(one))).toEqual(['done', 'done', 'done']);
    expect((await issuer.purchase(MERCHANT, one.purchaseId)).tokenId).toBe(view.tokenId);
    expect((await issuer.purchase(MERCHANT, other.purchaseId)).tokenId).not.toBe(view.tokenId);
    expect(await liveOf(input.cookie)).toHaveLength(2);
    expect(issuer.heardOf(TokenIssued, { purchaseId: one.purchaseId })).toHaveLength(1);
  });

  it('does not mix up purchases of other keys, of several keys and of other rights', async () => {
    const { input, purchase } = sale();
    const view = await ask(input);
    const kid = await issuer.kid();
    const others = [{ kids: [kid] }, { kids: [input.kid, kid] }, { rights: rental() }].map((other) => ({ ...purchase(), ...other }));
    await issuer.hear(...others.map((other) => completed(other)));
    for (const { purchaseId } of others) expect((await issuer.purchase(MERCHANT, purchaseId)).tokenId).not.toBe(view.tokenId);
    expect(await ask(input)).toEqual(view);
  });

  it('gives a purchase its own token in the place of one that has expired', async () => {
    const { input, purchase } = sale({ rights: rental() });
    const first = await ask(input);
    await age(first.tokenId, -1);
    const bought = purchase();
    await issuer.hear(completed(bought));
    const own = await issuer.ask(requests.getPurchaseToken, bought);
    expect(claimsOf(own.token)).toMatchObject({ purchase: bought.purchaseId, clock: first.tokenId });
    expect(await liveOf(input.cookie)).toEqual([{ token_id: own.tokenId, purchase_id: bought.purchaseId }]);
  });

  it('keeps the play clock of a rental: of the token, of the purchase that adopts it, and of every renewal', async () => {
    const { input, purchase } = sale({ rights: rental() });
    const first = await ask(input);
    await age(first.tokenId, 1);
    const second = await ask(input);
    const bought = purchase();
    expect((await issuer.ask(requests.acceptPurchase, bought)).tokenId).toBe(second.tokenId);
    for (let current = second, round = 0; round < 2; round += 1) {
      await age(current.tokenId, 1);
      current = await ask(input);
      expect(claimsOf(current.token)).toMatchObject({ purchase: bought.purchaseId, clock: first.tokenId });
    }
    expect(await issuer.liveTokens(bought.purchaseId)).toHaveLength(1);
  });

  it('is shown to its device with the purchase that has come', async () => {
    const { input, purchase, binding } = sale();
    const { tokenId } = await ask(input);
    const list = async () => (await issuer.ask(requests.listDeviceTokens, { merchantId: MERCHANT, cookie: input.cookie, deviceId: binding.deviceId })).tokens;
    expect(await list()).toMatchObject([{ tokenId }]);
    const bought = purchase();
    await issuer.hear(completed(bought));
    expect(await list()).toMatchObject([{ tokenId, purchaseId: bought.purchaseId }]);
  });
});

describe('the token of a content', () => {
  const find = (input: Input, contentId = input.contentId) => issuer.ask(requests.getContentToken, { merchantId: input.merchantId, cookie: input.cookie, contentId });
  const refusalOf = (input: Input, contentId = input.contentId) => issuer.refusal(requests.getContentToken, { merchantId: input.merchantId, cookie: input.cookie, contentId });

  it('is the one of the sale while there is no purchase, and then the newest purchase’s', async () => {
    const { input, purchase } = sale();
    expect(await refusalOf(input)).toBe('purchase-unknown 404');
    const view = await ask(input);
    expect(await find(input)).toEqual(view);
    expect(await refusalOf({ ...input, merchantId: 'other' })).toBe('purchase-unknown 404');
    const [one, two] = [purchase(), purchase()];
    await issuer.hear(completed(one));
    expect(await find(input, 'film-42')).toEqual(view);
    await issuer.hear(completed(two));
    expect(await find(input, 'film-42')).toEqual(await issuer.ask(requests.getPurchaseToken, two));
    await issuer.hear(refunded(two));
    expect(await refusalOf(input, 'film-42')).toBe('purchase-refunded 409');
  });

  it('is none that has expired, that waits, or whose device is revoked', async () => {
    const { input, binding } = sale();
    const { tokenId } = await ask(input);
    await age(tokenId, -1);
    expect(await refusalOf(input)).toBe('purchase-unknown 404');
    await ask(input);
    issuer.neighbours.bindings.set(input.cookie, { ...binding, state: 'revoked' });
    expect(await refusalOf(input)).toBe('device-revoked 409');
    const waiting = terms({ cookie: issuer.neighbours.cookie(), kids: [input.kid] });
    await issuer.hear(completed(waiting));
    expect(await refusalOf({ ...input, cookie: waiting.cookie }, 'film-42')).toBe('token-not-issued 404');
  });
});

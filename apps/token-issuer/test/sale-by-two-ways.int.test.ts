import { requests, type Rights, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdCommit } from './hold-commit.js';
import { completed, Issuer, MERCHANT, refunded, registered, terms } from './issuer.js';
import { claimsOf, newHex, rental, Sales } from './sales.js';

let database: TestDatabase;
let issuer: Issuer;
let sales: Sales;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url);
  sales = new Sales(issuer);
});

afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

describe('a sale by two ways', () => {
  it('is one token when the purchase comes second: it adopts what there is, tells of it, and its refund ends it', async () => {
    const { input, purchase } = sales.sale();
    const view = await sales.ask(input);
    const bought = purchase();
    expect(await issuer.hear(completed(bought, { correlationid: 'one-act' }))).toEqual(['done']);
    expect(await issuer.purchase(MERCHANT, bought.purchaseId)).toMatchObject({ state: 'issued', tokenId: view.tokenId });
    expect(await issuer.said(TokenIssued, 2, { tokenId: view.tokenId })).toMatchObject([{}, { purchaseId: bought.purchaseId, contentId: 'film-42' }]);
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: view.tokenId, purchase_id: bought.purchaseId }]);
    expect(await issuer.ask(requests.getPurchaseToken, bought)).toEqual(view);
    expect(await sales.ask(input)).toEqual(view);
    expect(await issuer.rows('select 1 from correlated_tokens where cookie = $1', [input.cookie])).toEqual([]);
    await issuer.hear(refunded(bought));
    expect(await issuer.said(TokenRevoked, 1, { tokenId: view.tokenId })).toMatchObject([{ reason: 'refunded', purchaseId: bought.purchaseId }]);
    expect(await sales.refusal(input)).toBe('purchase-refunded 409');
    expect(await sales.liveOf(input.cookie)).toEqual([]);
  });

  it('is one token when the purchase comes first, renewed as a purchase’s, until its refund; and one again when it is bought anew', async () => {
    const { input, purchase, binding } = sales.sale();
    await issuer.ask(requests.putContentKey, input);
    await issuer.hear(registered(binding));
    const bought = purchase();
    await issuer.hear(completed(bought));
    const view = await sales.ask(input);
    expect(view.tokenId).toBe((await issuer.purchase(MERCHANT, bought.purchaseId)).tokenId);
    await sales.age(view.tokenId, 1);
    const renewed = await sales.ask(input);
    expect(renewed.tokenId).not.toBe(view.tokenId);
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: renewed.tokenId, purchase_id: bought.purchaseId }]);
    await issuer.hear(refunded(bought));
    expect(await sales.refusal(input)).toBe('purchase-refunded 409');
    const again = purchase();
    await issuer.hear(completed(again));
    expect((await sales.ask(input)).tokenId).toBe((await issuer.purchase(MERCHANT, again.purchaseId)).tokenId);
    expect(await sales.liveOf(input.cookie)).toHaveLength(1);
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
    expect(await sales.refusal({ merchantId: MERCHANT, cookie, deviceId, contentId: 'film-42', kid, key, rights: bought.rights, ttlSeconds: 60 })).toBe('content-key-differs 409');
    const own = newHex();
    const otherKid = newHex();
    await issuer.ask(requests.putContentKey, { merchantId: MERCHANT, kid: otherKid, key: own });
    const second = terms({ cookie, kids: [otherKid], rights: rental() });
    await issuer.hear(completed(second));
    const view = await sales.ask({ merchantId: MERCHANT, cookie, deviceId, contentId: 'film-42', kid: otherKid, key: own, rights: second.rights, ttlSeconds: 60 });
    expect(await issuer.liveTokens(second.purchaseId)).toEqual([{ token_id: view.tokenId }]);
    expect(await issuer.liveTokens(bought.purchaseId)).toHaveLength(1);
  });

  it.each(['token', 'purchase'] as const)('does not become two when the %s is not yet committed', async (held) => {
    const { input, purchase, binding } = sales.sale();
    await issuer.hear(registered(binding));
    await issuer.ask(requests.putContentKey, input);
    const bought = purchase();
    const buy = () => issuer.hear(completed(bought));
    const [view] = held === 'token' ? await holdCommit(issuer, 'tokens', () => sales.ask(input), buy) : (await holdCommit(issuer, 'purchases', buy, () => sales.ask(input))).reverse();
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: (view as { tokenId: string }).tokenId, purchase_id: bought.purchaseId }]);
  });

  it('is one token whatever comes at once, many times', async () => {
    const { binding } = sales.sale();
    await issuer.hear(registered(binding));
    for (let round = 0; round < 20; round += 1) {
      const { input, purchase } = sales.sale({ cookie: binding.cookie });
      await issuer.ask(requests.putContentKey, input);
      const bought = purchase();
      const [one, , other] = await Promise.all([sales.ask(input), issuer.hear(completed(bought)), sales.ask(input)]);
      const { tokenId } = await issuer.purchase(MERCHANT, bought.purchaseId);
      expect([one.tokenId, other.tokenId]).toEqual([tokenId, tokenId]);
      expect(await issuer.liveTokens(bought.purchaseId)).toEqual([{ token_id: tokenId }]);
    }
    expect(await sales.liveOf(binding.cookie)).toHaveLength(20);
  });

  it('gives the sale’s token to the first of two purchases in a batch, and the other one of its own', async () => {
    const { input, purchase } = sales.sale();
    const view = await sales.ask(input);
    const [one, other] = [purchase(), purchase()];
    expect(await issuer.hear(completed(one), completed(other), completed(one))).toEqual(['done', 'done', 'done']);
    expect((await issuer.purchase(MERCHANT, one.purchaseId)).tokenId).toBe(view.tokenId);
    expect((await issuer.purchase(MERCHANT, other.purchaseId)).tokenId).not.toBe(view.tokenId);
    expect(await sales.liveOf(input.cookie)).toHaveLength(2);
    expect(await issuer.said(TokenIssued, 1, { purchaseId: one.purchaseId })).toHaveLength(1);
  });

  it('stays open for one of two purchases where the other one is refunded, and closes with both', async () => {
    const { input, purchase } = sales.sale();
    const view = await sales.ask(input);
    const [one, other] = [purchase(), purchase()];
    await issuer.hear(completed(one));
    await issuer.hear(completed(other));
    await issuer.hear(refunded(other));
    const named = { merchantId: MERCHANT, cookie: input.cookie, contentId: one.contentId };
    expect([await sales.ask(input), await issuer.ask(requests.getContentToken, named)]).toEqual([view, view]);
    await issuer.hear(refunded(one));
    expect(await sales.refusal(input)).toBe('purchase-refunded 409');
  });

  it('is not opened again by a rental that was over before the refund of the next one', async () => {
    const { input, purchase, binding } = sales.sale({ rights: rental() });
    await issuer.ask(requests.putContentKey, input);
    await issuer.hear(registered(binding));
    const [over, next] = [{ ...purchase(), rights: rental(-1) }, purchase()];
    await issuer.hear(completed(over));
    await issuer.hear(completed(next));
    await issuer.hear(refunded(next));
    expect(await sales.refusal(input)).toBe('purchase-refunded 409');
  });

  it('does not mix up purchases of other keys, of several keys and of other rights', async () => {
    const { input, purchase } = sales.sale();
    const view = await sales.ask(input);
    const kid = await issuer.kid();
    const others = [{ kids: [kid] }, { kids: [input.kid, kid] }, { rights: rental() }].map((other) => ({ ...purchase(), ...other }));
    await issuer.hear(...others.map((other) => completed(other)));
    for (const { purchaseId } of others) expect((await issuer.purchase(MERCHANT, purchaseId)).tokenId).not.toBe(view.tokenId);
    expect(await sales.ask(input)).toEqual(view);
  });

  it('gives a purchase its own token in the place of one that has expired', async () => {
    const { input, purchase } = sales.sale({ rights: rental() });
    const first = await sales.ask(input);
    await sales.age(first.tokenId, -1);
    const bought = purchase();
    await issuer.hear(completed(bought));
    const own = await issuer.ask(requests.getPurchaseToken, bought);
    expect(claimsOf(own.token)).toMatchObject({ purchase: bought.purchaseId, clock: first.tokenId });
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: own.tokenId, purchase_id: bought.purchaseId }]);
  });

  it('keeps the play clock of a rental: of the token, of the purchase that adopts it, and of every renewal', async () => {
    const { input, purchase } = sales.sale({ rights: rental() });
    const first = await sales.ask(input);
    await sales.age(first.tokenId, 1);
    const second = await sales.ask(input);
    const bought = purchase();
    expect((await issuer.ask(requests.acceptPurchase, bought)).tokenId).toBe(second.tokenId);
    for (let current = second, round = 0; round < 2; round += 1) {
      await sales.age(current.tokenId, 1);
      current = await sales.ask(input);
      expect(claimsOf(current.token)).toMatchObject({ purchase: bought.purchaseId, clock: first.tokenId });
    }
    expect(await issuer.liveTokens(bought.purchaseId)).toHaveLength(1);
  });

  it('is one token, of one clock, where the purchase ends before the token that it adopted', async () => {
    const { input, purchase } = sales.sale({ rights: rental() });
    const view = await sales.ask(input);
    const bought = { ...purchase(), rights: rental(-1) };
    await issuer.hear(completed(bought));
    expect(await sales.ask(input)).toEqual(view);
    const named = { merchantId: MERCHANT, cookie: input.cookie, contentId: bought.contentId };
    expect(await issuer.ask(requests.getContentToken, named)).toEqual(view);
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: view.tokenId, purchase_id: bought.purchaseId }]);
    // Renewed, it is the purchase's in everything, and over: who rents then has bought again.
    await sales.age(view.tokenId, 1);
    expect(claimsOf((await sales.ask(input)).token)).toMatchObject({ purchase: bought.purchaseId, clock: view.tokenId });
    const next = await sales.ask(input);
    expect(claimsOf(next.token)).not.toHaveProperty('clock');
    expect(await sales.ask(input)).toEqual(next);
  });

  it('opens what was bought to its end, where the token that the purchase adopted ends before', async () => {
    const { input, purchase } = sales.sale({ rights: { ...rental(), availableUntil: new Date(Date.now() + 2_000).toISOString() } as Rights });
    const view = await sales.ask(input);
    const bought = { ...purchase(), rights: rental() };
    await issuer.hear(completed(bought));
    const own = await eventually(async () => {
      const current = await issuer.ask(requests.getPurchaseToken, bought);
      expect(current.tokenId).not.toBe(view.tokenId);
      return current;
    });
    expect(claimsOf(own.token)).toMatchObject({ purchase: bought.purchaseId, clock: view.tokenId, rights: { available_until: Math.floor(Date.parse((bought.rights as { availableUntil: string }).availableUntil) / 1000) } });
    expect([await sales.ask(input), await issuer.ask(requests.getPurchaseToken, bought)]).toEqual([own, own]);
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: own.tokenId, purchase_id: bought.purchaseId }]);
  });

  it('is shown to its device with the purchase that has come', async () => {
    const { input, purchase, binding } = sales.sale();
    const { tokenId } = await sales.ask(input);
    const list = async () => (await issuer.ask(requests.listDeviceTokens, { merchantId: MERCHANT, cookie: input.cookie, deviceId: binding.deviceId })).tokens;
    expect(await list()).toMatchObject([{ tokenId }]);
    const bought = purchase();
    await issuer.hear(completed(bought));
    expect(await list()).toMatchObject([{ tokenId, purchaseId: bought.purchaseId }]);
  });

  it('ends with a refund that came before its purchase: the token too that had been asked for, and for good', async () => {
    const { input, purchase } = sales.sale();
    const view = await sales.ask(input);
    const bought = purchase();
    await issuer.hear(refunded(bought));
    expect(await sales.ask(input)).toEqual(view);
    await issuer.hear(completed(bought, { correlationid: 'late' }), completed(bought));
    expect(await issuer.said(TokenRevoked, 1, { tokenId: view.tokenId })).toMatchObject([{ reason: 'refunded' }]);
    expect(await sales.refusal(input)).toBe('purchase-refunded 409');
    expect(await issuer.refusal(requests.getContentToken, { merchantId: MERCHANT, cookie: input.cookie, contentId: 'film-42' })).toBe('purchase-refunded 409');
    const again = purchase();
    await issuer.hear(completed(again));
    expect(await issuer.hear(completed(bought))).toEqual(['done']);
    expect((await sales.ask(input)).tokenId).toBe((await issuer.purchase(MERCHANT, again.purchaseId)).tokenId);
    expect(await sales.liveOf(input.cookie)).toHaveLength(1);
  });

  it('is closed by a refund that came before its purchase, though no token was asked for yet', async () => {
    const { input, purchase, binding } = sales.sale();
    const bought = purchase();
    await issuer.hear(registered(binding), refunded(bought));
    await issuer.hear(completed(bought));
    expect(await sales.refusal(input)).toBe('purchase-refunded 409');
  });
});

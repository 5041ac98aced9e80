import { requests, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, Issuer, refunded, registered, revoked, terms } from './issuer.js';
import { claimsOf, newHex, rental, type SaleInput, Sales } from './sales.js';

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

describe('the token of a sale', () => {
  it('is issued to the bound device, told without a purchase, and answered as it stands when it is asked for again', async () => {
    const { input, binding } = sales.sale();
    const view = await sales.ask(input);
    expect(view).toMatchObject({ deviceId: binding.deviceId });
    expect(claimsOf(view.token)).toMatchObject({ cookie: input.cookie, content: input.contentId, kids: [input.kid], cnf: { jkt: binding.deviceId } });
    expect(claimsOf(view.token)).not.toHaveProperty('clock');
    expect(await issuer.said(TokenIssued, 1, { tokenId: view.tokenId })).toEqual([expect.not.objectContaining({ purchaseId: expect.anything() })]);
    expect(await sales.ask({ ...input, ttlSeconds: 60, contentId: 'film-42' })).toEqual(view);
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: view.tokenId, purchase_id: null }]);
  });

  it('is one for forty who ask at once', async () => {
    const { input } = sales.sale();
    const views = await Promise.all(Array.from({ length: 40 }, () => sales.ask(input)));
    expect(new Set(views.map(({ tokenId }) => tokenId)).size).toBe(1);
    expect(await sales.liveOf(input.cookie)).toHaveLength(1);
  });

  it('is another for another kid and for another type of rights', async () => {
    const { input } = sales.sale();
    const views = [await sales.ask(input), await sales.ask({ ...input, rights: rental() }), await sales.ask({ ...input, kid: newHex() })];
    expect(new Set(views.map(({ tokenId }) => tokenId)).size).toBe(3);
  });

  it('keeps merchants apart whose cookies say the same', async () => {
    const { input } = sales.sale();
    const own = await sales.ask(input);
    const binding = { ...issuer.neighbours.bindings.get(input.cookie)!, merchantId: 'other' };
    const before = [issuer.neighbours.bindings.get(input.cookie)!, issuer.neighbours.cookies.get(input.cookie)!] as const;
    issuer.neighbours.bindings.set(input.cookie, binding);
    issuer.neighbours.cookies.set(input.cookie, { ...before[1], merchantId: 'other' });
    const foreign = await sales.ask({ ...input, merchantId: 'other' });
    expect(foreign.tokenId).not.toBe(own.tokenId);
    const bought = terms({ merchantId: 'other', cookie: input.cookie, kids: [input.kid] });
    await issuer.hear(registered(binding));
    await issuer.hear(completed(bought));
    expect((await issuer.purchase('other', bought.purchaseId)).tokenId).toBe(foreign.tokenId);
    issuer.neighbours.bindings.set(input.cookie, before[0]);
    issuer.neighbours.cookies.set(input.cookie, before[1]);
    expect(await sales.ask(input)).toEqual(own);
    expect(await issuer.liveTokens(bought.purchaseId)).toEqual([]);
  });

  it('is refused to another device, with another key, to a cookie without a device and to a revoked device', async () => {
    const { input, binding } = sales.sale();
    const { tokenId } = await sales.ask(input);
    expect(await sales.refusal({ ...input, deviceId: 'another' })).toBe('device-mismatch 409');
    expect(await sales.refusal({ ...input, key: newHex() })).toBe('content-key-differs 409');
    expect(await sales.refusal({ ...input, cookie: issuer.neighbours.cookie() })).toBe('device-not-registered 409');
    expect(await sales.refusal({ ...input, cookie: 'nobody-knows' })).toBe('cookie-unknown 404');
    issuer.neighbours.bindings.set(input.cookie, { ...binding, state: 'revoked' });
    expect(await sales.refusal(input)).toBe('device-revoked 409');
    await issuer.hear(revoked(binding));
    expect(await sales.refusal(input)).toBe('device-revoked 409');
    expect(await issuer.said(TokenRevoked, 1, { tokenId })).toMatchObject([{ reason: 'device-revoked' }]);
    expect(await sales.liveOf(input.cookie)).toEqual([]);
  });

  it('is renewed in its place, once for many who ask, with what was sold and the clock that runs', async () => {
    const { input } = sales.sale({ rights: rental() });
    const first = await sales.ask(input);
    await sales.age(first.tokenId, 1);
    const views = await Promise.all(Array.from({ length: 10 }, () => sales.ask({ ...input, rights: rental(999) })));
    const [second] = views;
    expect(new Set(views.map(({ tokenId }) => tokenId)).size).toBe(1);
    expect(second!.tokenId).not.toBe(first.tokenId);
    expect(claimsOf(second!.token)).toMatchObject({ clock: first.tokenId, rights: claimsOf(first.token).rights });
    expect(await issuer.said(TokenRevoked, 1, { tokenId: first.tokenId })).toMatchObject([{ reason: 'superseded' }]);
    await sales.age(second!.tokenId, -1000);
    await issuer.rows('delete from tokens where token_id = $1', [second!.tokenId]);
    const third = await sales.ask(input);
    expect(claimsOf(third.token)).toMatchObject({ clock: first.tokenId, rights: claimsOf(first.token).rights });
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: third.tokenId, purchase_id: null }]);
  });

  it('is a new one, with a clock of its own, where a rental is over', async () => {
    const { input } = sales.sale({ rights: rental() });
    const first = await sales.ask(input);
    await issuer.rows(`update correlated_tokens set rights = $2 where token_id = $1`, [first.tokenId, JSON.stringify(rental(-1))]);
    const second = await sales.ask({ ...input, rights: rental(48) });
    expect(claimsOf(second.token)).not.toHaveProperty('clock');
    expect(await sales.liveOf(input.cookie)).toEqual([{ token_id: second.tokenId, purchase_id: null }]);
    await sales.age(second.tokenId, 1);
    expect(claimsOf((await sales.ask(input)).token).clock).toBe(second.tokenId);
  });
});

describe('the token of a content', () => {
  const find = (input: SaleInput, contentId = input.contentId) => issuer.ask(requests.getContentToken, { merchantId: input.merchantId, cookie: input.cookie, contentId });
  const refusalOf = (input: SaleInput, contentId = input.contentId) => issuer.refusal(requests.getContentToken, { merchantId: input.merchantId, cookie: input.cookie, contentId });

  it('is the one of the sale while there is no purchase, and then the newest purchase’s', async () => {
    const { input, purchase } = sales.sale();
    expect(await refusalOf(input)).toBe('purchase-unknown 404');
    const view = await sales.ask(input);
    expect(await find(input)).toEqual(view);
    expect(await refusalOf({ ...input, merchantId: 'other' })).toBe('purchase-unknown 404');
    const [one, two] = [purchase(), purchase()];
    await issuer.hear(completed(one));
    expect(await find(input, 'film-42')).toEqual(view);
    await issuer.hear(completed(two));
    expect(await find(input, 'film-42')).toEqual(await issuer.ask(requests.getPurchaseToken, two));
    await issuer.hear(refunded(two));
    expect(await find(input, 'film-42')).toEqual(view);
    await issuer.hear(refunded(one));
    expect(await refusalOf(input, 'film-42')).toBe('purchase-refunded 409');
  });

  it('is none that has expired, that waits, or whose device is revoked', async () => {
    const { input, binding } = sales.sale();
    const { tokenId } = await sales.ask(input);
    await sales.age(tokenId, -1);
    expect(await refusalOf(input)).toBe('purchase-unknown 404');
    await sales.ask(input);
    issuer.neighbours.bindings.set(input.cookie, { ...binding, state: 'revoked' });
    expect(await refusalOf(input)).toBe('device-revoked 409');
    const waiting = terms({ cookie: issuer.neighbours.cookie(), kids: [input.kid] });
    await issuer.hear(completed(waiting));
    expect(await refusalOf({ ...input, cookie: waiting.cookie }, 'film-42')).toBe('token-not-issued 404');
  });
});

import { requests } from '@latchkey/contracts';
import { generateDeviceKey, readToken } from '@latchkey/crypto';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, Issuer, MERCHANT, newPurchaseId, refunded, registered, revoked, terms } from './issuer.js';

let database: TestDatabase;
let issuer: Issuer;
let kid: string;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url);
  kid = await issuer.kid();
});
afterEach(() => issuer.neighbours.silent.clear());
afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

type Bound = ReturnType<Issuer['neighbours']['bind']>;
type Where = Pick<Bound, 'cookie' | 'deviceId'> & { merchantId?: string };

const list = ({ merchantId = MERCHANT, cookie, deviceId }: Where) => issuer.ask(requests.listDeviceTokens, { merchantId, cookie, deviceId });
const refusal = ({ merchantId = MERCHANT, cookie, deviceId }: Where) => issuer.refusal(requests.listDeviceTokens, { merchantId, cookie, deviceId });
const purchasesIn = async (where: Where): Promise<(string | undefined)[]> => (await list(where)).tokens.map(({ purchaseId }) => purchaseId);

/** A device that is bound, and known here. */
async function boundDevice(deviceId?: string, merchantId = MERCHANT): Promise<Bound> {
  const binding = issuer.neighbours.bind(issuer.neighbours.cookie({ merchantId }), deviceId);
  await issuer.hear(registered(binding));
  return binding;
}

/** A purchase of the device; answers its id. */
async function buy({ cookie, merchantId }: Bound, kids = [kid]) {
  const purchase = terms({ cookie, merchantId, kids });
  expect(await issuer.hear(completed(purchase))).toEqual(['done']);
  return purchase;
}

describe('the tokens of a device', () => {
  it('are the current one of each purchase and those that were asked for directly, newest first', async () => {
    const binding = await boundDevice();
    const purchase = await buy(binding);
    await issuer.rows(`update tokens set issued_at = issued_at - interval '1 hour' where purchase_id = $1`, [purchase.purchaseId]);
    const rights = { type: 'rental', availableUntil: '2100-01-01T00:00:00.000Z', playDurationSeconds: 60 } as const;
    const direct = await issuer.ask(requests.issueToken, { merchantId: MERCHANT, cookie: binding.cookie, contentId: 'trailer', kids: [kid], rights });
    const bought = await issuer.ask(requests.getPurchaseToken, purchase);
    expect(await list(binding)).toEqual({
      tokens: [
        { token: direct.token, tokenId: direct.tokenId, contentId: 'trailer', kids: [kid], rights, expiresAt: direct.expiresAt },
        { token: bought.token, tokenId: bought.tokenId, purchaseId: purchase.purchaseId, contentId: 'film-42', kids: [kid], rights: { type: 'purchase' }, expiresAt: bought.expiresAt },
      ],
      more: false,
    });
  });

  it('are listed in the order in which they were issued, also within one second', async () => {
    const binding = await boundDevice();
    const ids: string[] = [];
    for (let n = 0; n < 6; n += 1) ids.push((await buy(binding)).purchaseId);
    await issuer.rows(`update tokens set issued_at = '2026-11-30T12:00:00Z' where device_id = $1`, [binding.deviceId]);
    expect(await purchasesIn(binding)).toEqual(ids.reverse());
  });

  it('are those of every cookie that it was bound to, whichever of them it comes with', async () => {
    const first = await boundDevice();
    const second = await boundDevice(first.deviceId);
    const ids = [(await buy(first)).purchaseId, (await buy(second)).purchaseId].sort();
    const free = { cookie: issuer.neighbours.cookie(), deviceId: first.deviceId };
    for (const where of [first, second, free]) expect((await purchasesIn(where)).sort()).toEqual(ids);
  });

  it('are none for a device that never registered', async () => {
    const where = { cookie: issuer.neighbours.cookie(), deviceId: generateDeviceKey().deviceId };
    expect(await list(where)).toEqual({ tokens: [], more: false });
  });

  it('are not those of another device, of another merchant, or of an asserted device of the same spelling', async () => {
    const mine = await boundDevice();
    await buy(await boundDevice());
    const elsewhere = await boundDevice(mine.deviceId, 'other');
    await buy(elsewhere, [await issuer.kid('other')]);
    const asserted = issuer.neighbours.bind(issuer.neighbours.cookie(), mine.deviceId, 'asserted');
    await issuer.hear(registered(asserted));
    await buy(asserted);
    expect(await list(mine)).toEqual({ tokens: [], more: false });
    expect(await list(elsewhere)).toMatchObject({ tokens: [{ kids: [expect.any(String)] }] });
    expect(await refusal(asserted)).toBe('cookie-bound-elsewhere 403');
  });

  it('are those that work: none that was superseded, refunded, or has expired', async () => {
    const binding = await boundDevice();
    const [renewed, refundedOne, over] = [await buy(binding), await buy(binding), await buy(binding)];
    expect(await purchasesIn(binding)).toHaveLength(3);
    const [before] = await issuer.liveTokens(renewed.purchaseId);
    const shift = `interval '13 hours'`;
    await issuer.rows(`update tokens set issued_at = issued_at - ${shift}, expires_at = expires_at - ${shift} where purchase_id = $1`, [renewed.purchaseId]);
    const { tokenId } = await issuer.ask(requests.getPurchaseToken, renewed);
    expect(tokenId).not.toBe(before!.token_id);
    await issuer.hear(refunded(refundedOne));
    await issuer.rows(`update tokens set expires_at = clock_timestamp() where purchase_id = $1`, [over.purchaseId]);
    expect((await list(binding)).tokens.map((token) => token.tokenId)).toEqual([tokenId]);
  });

  it('are not renewed by being looked at', async () => {
    const binding = await boundDevice();
    const { purchaseId } = await buy(binding);
    await issuer.rows(`update tokens set issued_at = issued_at - interval '23 hours', expires_at = expires_at - interval '23 hours' where purchase_id = $1`, [purchaseId]);
    const before = await issuer.liveTokens(purchaseId);
    expect(await purchasesIn(binding)).toEqual([purchaseId]);
    expect(await issuer.liveTokens(purchaseId)).toEqual(before);
  });

  it('include what was bought before the device came, as soon as its registration was answered', async () => {
    const cookie = issuer.neighbours.cookie();
    const purchase = terms({ cookie, kids: [kid] });
    expect(await issuer.ask(requests.acceptPurchase, purchase)).toMatchObject({ state: 'awaiting-device' });
    const { deviceId } = issuer.neighbours.bind(cookie);
    const { tokens } = await list({ cookie, deviceId });
    expect(tokens).toMatchObject([{ purchaseId: purchase.purchaseId }]);
    const read = readToken(tokens[0]!.token);
    expect(read.ok && read.claims.cnf).toEqual({ jkt: deviceId });
    expect(await issuer.purchase(MERCHANT, purchase.purchaseId)).toMatchObject({ state: 'issued', deviceId });
  });

  it('are cut where there are too many for one answer, which says so', async () => {
    const binding = await boundDevice();
    const purchases = Array.from({ length: 101 }, () => terms({ cookie: binding.cookie, kids: [kid], purchaseId: newPurchaseId() }));
    await issuer.hear(...purchases.map((purchase) => completed(purchase)));
    const { tokens, more } = await list(binding);
    expect([tokens.length > 50 && tokens.length <= 100, more]).toEqual([true, true]);
  });
});

describe('no token is listed', () => {
  it('with the token of a cookie that is bound to another device', async () => {
    const [mine, other] = [await boundDevice(), await boundDevice()];
    await buy(mine);
    expect(await refusal({ cookie: other.cookie, deviceId: mine.deviceId })).toBe('cookie-bound-elsewhere 403');
  });

  it.each(['its own cookie', 'a cookie that is free'])('to a device whose revocation was answered, heard here or not, with the token of %s', async (whose) => {
    const binding = await boundDevice();
    await buy(binding);
    const cookie = whose === 'its own cookie' ? binding.cookie : issuer.neighbours.cookie();
    issuer.neighbours.bindings.set(binding.cookie, { ...binding, state: 'revoked' });
    expect(await refusal({ ...binding, cookie })).toBe('device-revoked 403');
    await issuer.hear(revoked(binding));
    expect(await refusal(binding)).toBe('device-revoked 403');
    expect(await list({ cookie: issuer.neighbours.cookie(), deviceId: binding.deviceId })).toEqual({ tokens: [], more: false });
  });

  it('while nobody can say whether the device is revoked', async () => {
    const binding = await boundDevice();
    await buy(binding);
    issuer.neighbours.silent.add(requests.lookUpBindings.name);
    expect(await refusal(binding)).toBe('unavailable 503');
  });
});

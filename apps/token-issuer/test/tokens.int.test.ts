import { requests, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { TOKEN_BYTES_MAX } from '@latchkey/crypto';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, Issuer, MERCHANT, refunded, registered, revoked, terms } from './issuer.js';
import { claimsOf } from './sales.js';

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

/** A purchase that was issued, as if `agoHours` ago. */
async function issued(agoHours = 0) {
  const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
  const purchase = terms({ cookie: binding.cookie, kids: [kid] });
  await issuer.hear(registered(binding));
  await issuer.hear(completed(purchase));
  const shift = `make_interval(hours => ${agoHours})`;
  await issuer.rows(`update tokens set issued_at = issued_at - ${shift}, expires_at = expires_at - ${shift} where purchase_id = $1`, [purchase.purchaseId]);
  const { tokenId } = (await issuer.liveTokens(purchase.purchaseId)).map((row) => ({ tokenId: row.token_id }))[0]!;
  return { purchase, binding, tokenId };
}

describe('asking for a purchase’s token', () => {
  it('gives the same one again while it is fresh', async () => {
    const { purchase, tokenId } = await issued();
    const views = await Promise.all([1, 2, 3].map(() => issuer.ask(requests.getPurchaseToken, purchase)));
    expect(new Set(views.map((view) => view.tokenId))).toEqual(new Set([tokenId]));
  });

  it.each([
    ['soon over', 13, 1],
    ['over', 30, 0],
  ])('renews one that is %s, once however many ask', async (_, agoHours, revocations) => {
    const { purchase, tokenId } = await issued(agoHours);
    const views = await Promise.all([1, 2, 3, 4].map(() => issuer.ask(requests.getPurchaseToken, purchase)));
    const renewed = views[0]!.tokenId;
    expect(renewed).not.toBe(tokenId);
    expect(new Set(views.map((view) => view.tokenId))).toEqual(new Set([renewed]));
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([{ token_id: renewed }]);
    await issuer.said(TokenIssued, 2, { purchaseId: purchase.purchaseId });
    expect(issuer.heardOf(TokenRevoked, { tokenId, reason: 'superseded' })).toHaveLength(revocations);
    expect(await issuer.purchase(purchase.merchantId, purchase.purchaseId)).toMatchObject({ state: 'issued', tokenId: renewed });
  });

  it('never renews what was refunded or whose device is revoked', async () => {
    const given = await issued(30);
    const taken = await issued(30);
    await issuer.hear(refunded(given.purchase));
    await issuer.hear(revoked(taken.binding));
    expect(await issuer.refusal(requests.getPurchaseToken, given.purchase)).toBe('purchase-refunded 409');
    expect(await issuer.refusal(requests.getPurchaseToken, taken.purchase)).toBe('device-revoked 409');
    for (const { purchase } of [given, taken]) expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
    // Both had expired: there was nothing to say of them.
    expect(issuer.heardOf(TokenRevoked, { tokenId: given.tokenId })).toEqual([]);
  });

  it.each([
    ['fresh', 0],
    ['soon over', 13],
    ['over', 30],
  ])('refuses one that is %s once its device’s revocation was answered, heard here or not', async (_, agoHours) => {
    const { purchase, binding, tokenId } = await issued(agoHours);
    issuer.neighbours.bindings.set(binding.cookie, { ...binding, state: 'revoked' });
    expect(await issuer.refusal(requests.getPurchaseToken, purchase)).toBe('device-revoked 409');
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([{ token_id: tokenId }]);
  });

  it.each([
    ['fresh', 0],
    ['soon over', 13],
  ])('is unavailable for one that is %s while nobody can say whether its device is revoked', async (_, agoHours) => {
    const { purchase, tokenId } = await issued(agoHours);
    issuer.neighbours.silent.add(requests.lookUpBindings.name);
    try {
      expect(await issuer.refusal(requests.getPurchaseToken, purchase)).toBe('unavailable 503');
    } finally {
      issuer.neighbours.silent.clear();
    }
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([{ token_id: tokenId }]);
  });

  it.each(['refund', 'revocation'] as const)('leaves no live token when a %s comes at the same moment', async (end) => {
    for (let round = 0; round < 10; round += 1) {
      const { purchase, binding } = await issued(30);
      await Promise.all([
        issuer.bus.ask(requests.getPurchaseToken.name, purchase),
        issuer.hear(end === 'refund' ? refunded(purchase) : revoked(binding)),
      ]);
      expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
    }
  });

  it('refuses an unknown purchase, and another merchant’s', async () => {
    const { purchase } = await issued();
    expect(await issuer.refusal(requests.getPurchaseToken, { ...purchase, merchantId: 'other' })).toBe('purchase-unknown 404');
  });

  it.each([
    ['fresh', 0],
    ['soon over', 13],
  ])('gives each of two merchants its own, if one purchase id is theirs both and it is %s', async (_, agoHours) => {
    const purchaseId = `twin-${agoHours}`;
    const twins = [];
    for (const merchantId of ['zoo', 'acme', MERCHANT]) {
      const binding = issuer.neighbours.bind(issuer.neighbours.cookie({ merchantId }));
      const purchase = terms({ merchantId, purchaseId, cookie: binding.cookie, kids: [await issuer.kid(merchantId)] });
      await issuer.hear(registered(binding), completed(purchase));
      twins.push({ purchase, deviceId: binding.deviceId });
    }
    await issuer.rows(
      `update tokens set issued_at = issued_at - make_interval(hours => $2), expires_at = expires_at - make_interval(hours => $2)
       where purchase_id = $1`,
      [purchaseId, agoHours],
    );
    const first = new Map<string, string>();
    for (const { purchase, deviceId } of [...twins, ...twins.toReversed()]) {
      const view = await issuer.ask(requests.getPurchaseToken, purchase);
      expect(view.deviceId).toBe(deviceId);
      expect(claimsOf(view.token)).toMatchObject({ merchant: purchase.merchantId, cookie: purchase.cookie, kids: purchase.kids });
      expect(view.tokenId).toBe(first.get(purchase.merchantId) ?? view.tokenId);
      first.set(purchase.merchantId, view.tokenId);
    }
    expect(new Set(first.values()).size).toBe(3);
    for (const [merchantId, tokenId] of first) expect(await issuer.liveTokens(purchaseId, merchantId)).toEqual([{ token_id: tokenId }]);
  });
});

it('cannot store a second live token of a purchase', async () => {
  const { tokenId } = await issued();
  const twin = `insert into tokens (token_id, merchant_id, purchase_id, device_id, token, kek_ids, signing_key_id, issued_at, expires_at)
    select 'twin', merchant_id, purchase_id, device_id, token, kek_ids, signing_key_id, issued_at, expires_at from tokens where token_id = $1`;
  await expect(issuer.rows(twin, [tokenId])).rejects.toMatchObject({ driverError: { code: '23505', constraint: 'tokens_one_live_per_purchase' } });
});

it('keeps a token with 32 keys and the longest ids within 6 KiB', async () => {
  const kids = await Promise.all(Array.from({ length: 32 }, () => issuer.kid('m'.repeat(63))));
  const binding = issuer.neighbours.bind(issuer.neighbours.cookie({ merchantId: 'm'.repeat(63) }), 'd'.repeat(128), 'asserted');
  await issuer.hear(registered(binding));
  const purchase = terms({
    merchantId: binding.merchantId,
    purchaseId: 'p'.repeat(128),
    cookie: binding.cookie,
    contentId: 'c'.repeat(128),
    kids,
    rights: { type: 'rental', availableFrom: '2026-01-01T00:00:00Z', availableUntil: '9999-12-31T23:59:59Z', playDurationSeconds: 315_360_000 },
  });
  expect(await issuer.hear(completed(purchase))).toEqual(['done']);
  const { token } = await issuer.ask(requests.getPurchaseToken, purchase);
  expect(token.length).toBeLessThanOrEqual(TOKEN_BYTES_MAX);
});

it('counts what it issues and what waits', async () => {
  const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
  await issuer.hear(completed(purchase));
  const text = await issuer.metrics.expose();
  expect(text).toMatch(/latchkey_tokens_issued_total\{cause="purchase"\} [1-9]/);
  expect(text).toMatch(/latchkey_tokens_issued_total\{cause="renewal"\} [1-9]/);
  expect(text).toMatch(/latchkey_purchases_total\{end="issued"\} [1-9]/);
  expect(text).toMatch(/latchkey_purchases_waiting 1/);
});

import { PurchaseCompleted, PurchaseRefunded, PurchaseRejected, requests, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdCommit } from './hold-commit.js';
import { completed, Issuer, MERCHANT, newPurchaseId, refunded, registered, revoked, terms } from './issuer.js';

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

const issuedFor = (purchaseId: string) => issuer.said(TokenIssued, 1, { purchaseId });

describe('what merchants are told', () => {
  const told = (purchaseId: string) => issuer.bus.copiesToGateway.filter(({ data }) => (data as { purchaseId?: string }).purchaseId === purchaseId).map(({ type, data }) => [type, data]);

  it('is each purchase that was accepted, once, however often and by whichever way it came', async () => {
    const byEvent = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    const overHttp = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    await issuer.hear(completed(byEvent), completed(byEvent));
    await issuer.ask(requests.acceptPurchase, overHttp);
    await issuer.ask(requests.acceptPurchase, overHttp);
    await eventually(() => expect(told(byEvent.purchaseId)).toEqual([[PurchaseCompleted.type, byEvent]]));
    await eventually(() => expect(told(overHttp.purchaseId)).toEqual([[PurchaseCompleted.type, overHttp]]));
  });

  it('is a purchase that ends rejected, and none that its caller was refused', async () => {
    const lost = terms({ cookie: issuer.neighbours.cookie({ ttlMs: -5_000 }), kids: [kid] });
    const refused = terms({ cookie: issuer.neighbours.cookie({ ttlMs: -5_000 }), kids: [kid] });
    expect(await issuer.refusal(requests.acceptPurchase, refused)).toBe('cookie-expired 409');
    await issuer.hear(completed(lost));
    await eventually(() => expect(told(lost.purchaseId).map(([type]) => type)).toEqual([PurchaseCompleted.type]));
    expect(told(refused.purchaseId)).toEqual([]);
  });

  it('is each refund that ends something, by whichever way it came', async () => {
    const [byEvent, overHttp] = [terms({ cookie: issuer.neighbours.cookie(), kids: [kid] }), terms({ cookie: issuer.neighbours.cookie(), kids: [kid] })];
    await issuer.hear(completed(byEvent), completed(overHttp));
    await issuer.hear(refunded(byEvent), refunded(byEvent));
    await issuer.ask(requests.refundPurchase, { merchantId: MERCHANT, purchaseId: overHttp.purchaseId, reason: 'customer request' });
    for (const { purchaseId } of [byEvent, overHttp]) {
      await eventually(() => expect(told(purchaseId).map(([type]) => type)).toEqual([PurchaseCompleted.type, PurchaseRefunded.type]));
    }
    expect(told(overHttp.purchaseId)[1]![1]).toMatchObject({ reason: 'customer request' });
  });
});

describe('a purchase event', () => {
  it.each([
    ['cookie-unknown', { cookie: 'nobody-knows-this' }],
    ['kid-unknown', { kids: ['e'.repeat(32)] }],
  ])('is retried twice, then rejected: %s', async (code, change) => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid], ...change });
    expect(await issuer.hear(completed(purchase, { attempt: 1 }))).toEqual(['retry']);
    expect(await issuer.hear(completed(purchase, { attempt: 2 }))).toEqual(['retry']);
    expect(await issuer.refusal(requests.getPurchase, purchase)).toBe('purchase-unknown 404');
    expect(await issuer.hear(completed(purchase, { attempt: 3 }))).toEqual(['done']);
    expect(await issuer.said(PurchaseRejected, 1, { purchaseId: purchase.purchaseId })).toMatchObject([{ code }]);
    expect(await issuer.refusal(requests.getPurchaseToken, purchase)).toBe(`${code} 409`);
  });

  it('is rejected when its cookie was over before a device came, and not when one came in time', async () => {
    const late = terms({ cookie: issuer.neighbours.cookie({ ttlMs: -5_000 }), kids: [kid] });
    const inTime = terms({ cookie: issuer.neighbours.cookie({ ttlMs: -5_000 }), kids: [kid] });
    issuer.neighbours.bind(inTime.cookie);
    expect(await issuer.hear(completed(late), completed(inTime))).toEqual(['done', 'done']);
    expect(await issuer.purchase(MERCHANT, late.purchaseId)).toMatchObject({ state: 'rejected', code: 'cookie-expired' });
    expect((await issuer.purchase(MERCHANT, inTime.purchaseId)).state).toBe('issued');
  });

  it('that waits is rejected soon after its cookie is over, unless the registry knows a device', async () => {
    const lonely = terms({ cookie: issuer.neighbours.cookie({ ttlMs: 300 }), kids: [kid] });
    const unheard = terms({ cookie: issuer.neighbours.cookie({ ttlMs: 300 }), kids: [kid] });
    await issuer.hear(completed(lonely), completed(unheard));
    issuer.neighbours.bind(unheard.cookie);
    const startedMs = Date.now();
    await issuer.said(PurchaseRejected, 1, { purchaseId: lonely.purchaseId, code: 'cookie-expired' });
    expect(Date.now() - startedMs).toBeLessThan(3_300);
    await issuedFor(unheard.purchaseId);
    // The binding is heard of at last, and changes nothing any more.
    await issuer.hear(registered(issuer.neighbours.bind(lonely.cookie)), registered(issuer.neighbours.bindings.get(unheard.cookie)!));
    expect((await issuer.purchase(MERCHANT, lonely.purchaseId)).state).toBe('rejected');
    expect(issuer.heardOf(TokenIssued, { purchaseId: unheard.purchaseId })).toHaveLength(1);
  });

  it('keeps waiting past its cookie while the registry does not answer', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie({ ttlMs: 100 }), kids: [kid] });
    await issuer.hear(completed(purchase));
    issuer.neighbours.silent.add(requests.lookUpBindings.name);
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect((await issuer.purchase(MERCHANT, purchase.purchaseId)).state).toBe('awaiting-device');
    issuer.neighbours.silent.clear();
    await issuer.said(PurchaseRejected, 1, { purchaseId: purchase.purchaseId });
  });

  it('that names another device is rejected when the device is known, and when it comes', async () => {
    const before = terms({ cookie: issuer.neighbours.cookie(), kids: [kid], deviceId: 'another-device' });
    await issuer.hear(completed(before));
    const binding = issuer.neighbours.bind(before.cookie);
    await issuer.hear(registered(binding));
    const after = terms({ cookie: before.cookie, kids: [kid], deviceId: 'another-device' });
    const right = terms({ cookie: before.cookie, kids: [kid], deviceId: binding.deviceId });
    await issuer.hear(completed(after), completed(right));
    for (const { purchaseId } of [before, after]) {
      expect(await issuer.purchase(MERCHANT, purchaseId)).toMatchObject({ state: 'rejected', code: 'device-mismatch' });
      await issuer.said(PurchaseRejected, 1, { purchaseId, code: 'device-mismatch' });
    }
    expect((await issuer.purchase(MERCHANT, right.purchaseId)).state).toBe('issued');
  });
});

describe('a refund', () => {
  it('takes the token away, once', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    const purchase = terms({ cookie: binding.cookie, kids: [kid] });
    await issuer.hear(completed(purchase));
    expect(await issuer.hear(refunded(purchase, { correlationid: 'refund-act' }), refunded(purchase))).toEqual(['done', 'done']);
    const [event] = await issuer.said(TokenRevoked, 1, { purchaseId: purchase.purchaseId });
    expect(event).toMatchObject({ reason: 'refunded' });
    expect(await issuer.ask(requests.refundPurchase, purchase)).toMatchObject({ state: 'refunded' });
    expect(await issuer.refusal(requests.getPurchaseToken, purchase)).toBe('purchase-refunded 409');
    expect(issuer.heardOf(TokenRevoked, { purchaseId: purchase.purchaseId })).toHaveLength(1);
    // The purchase once more is a repetition, by event and by call.
    expect(await issuer.hear(completed(purchase))).toEqual(['done']);
    expect(await issuer.ask(requests.acceptPurchase, purchase)).toMatchObject({ state: 'refunded' });
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
  });

  it('ends a purchase that waits', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    await issuer.hear(completed(purchase));
    await issuer.hear(refunded(purchase));
    await issuer.hear(registered(issuer.neighbours.bind(purchase.cookie)));
    expect((await issuer.purchase(MERCHANT, purchase.purchaseId)).state).toBe('refunded');
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
  });

  it('is kept, whatever a checkout writes beside it', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid], completedAt: '0001-01-01T00:00:00Z' });
    expect(await issuer.hear(completed(purchase))).toEqual(['done']);
    const refund = { merchantId: MERCHANT, purchaseId: purchase.purchaseId, refundedAt: '0001-01-01T00:00:00Z', reason: 'a\u0000b\n' };
    expect(await issuer.hear([PurchaseRefunded, refund])).toEqual(['done']);
    expect((await issuer.purchase(MERCHANT, purchase.purchaseId)).state).toBe('refunded');
  });

  it('that comes before its purchase wins', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    const purchase = terms({ cookie: binding.cookie, kids: [kid] });
    await issuer.hear(refunded(purchase));
    expect(await issuer.hear(completed(purchase))).toEqual(['done']);
    expect(await issuer.purchase(MERCHANT, purchase.purchaseId)).toMatchObject({ state: 'refunded' });
    expect(await issuer.refusal(requests.acceptPurchase, purchase)).toBe('purchase-refunded 409');
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
  });

  it('and its purchase at the same moment end as refunded', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    for (let round = 0; round < 15; round += 1) {
      const purchases = [1, 2, 3].map(() => terms({ cookie: binding.cookie, kids: [kid] }));
      await Promise.all([issuer.hear(...purchases.map((one) => completed(one))), issuer.hear(...purchases.map((one) => refunded(one)))]);
      for (const { purchaseId } of purchases) {
        expect((await issuer.purchase(MERCHANT, purchaseId)).state).toBe('refunded');
        expect(await issuer.liveTokens(purchaseId)).toEqual([]);
      }
    }
  });

  it('leaves a purchase rejected that its device rejects at the same moment', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid], deviceId: 'another-device' });
    await issuer.hear(completed(purchase));
    const binding = issuer.neighbours.bind(purchase.cookie);
    const verdicts = await holdCommit(issuer, 'purchases', () => issuer.hear(registered(binding)), () => issuer.hear(refunded(purchase)));
    expect(verdicts).toEqual([['done'], ['done']]);
    expect(await issuer.purchase(MERCHANT, purchase.purchaseId)).toMatchObject({ state: 'rejected', code: 'device-mismatch' });
  });

  it('leaves a rejected purchase rejected, and is refused where there is none', async () => {
    const purchase = terms({ cookie: 'nobody-knows-this', kids: [kid] });
    await issuer.hear(completed(purchase, { attempt: 3 }));
    expect(await issuer.ask(requests.refundPurchase, purchase)).toMatchObject({ state: 'rejected', code: 'cookie-unknown' });
    expect(await issuer.refusal(requests.refundPurchase, { merchantId: MERCHANT, purchaseId: newPurchaseId() })).toBe('purchase-unknown 404');
  });
});

describe('a revoked device', () => {
  it('loses its tokens and gets no more', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    const before = terms({ cookie: binding.cookie, kids: [kid] });
    await issuer.hear(completed(before));
    expect(await issuer.hear(revoked(binding), revoked(binding))).toEqual(['done', 'done']);
    expect(await issuer.said(TokenRevoked, 1, { purchaseId: before.purchaseId })).toMatchObject([{ reason: 'device-revoked' }]);
    expect(await issuer.refusal(requests.getPurchaseToken, before)).toBe('device-revoked 409');
    const after = terms({ cookie: binding.cookie, kids: [kid] });
    await issuer.hear(completed(after));
    expect(await issuer.purchase(MERCHANT, after.purchaseId)).toMatchObject({ state: 'rejected', code: 'device-revoked' });
  });

  it('gets nothing when its registration is heard after its revocation', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    await issuer.hear(completed(purchase));
    const binding = issuer.neighbours.bind(purchase.cookie);
    await issuer.hear(revoked(binding));
    await issuer.hear(registered(binding));
    await issuer.said(PurchaseRejected, 1, { purchaseId: purchase.purchaseId, code: 'device-revoked' });
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
  });

  it('loses a token that is issued while it is being revoked', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    const purchase = terms({ cookie: binding.cookie, kids: [kid] });
    await holdCommit(issuer, 'purchases', () => issuer.hear(completed(purchase)), () => issuer.hear(revoked(binding)));
    expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([]);
    await issuer.said(TokenRevoked, 1, { purchaseId: purchase.purchaseId, reason: 'device-revoked' });
  });

  it('has no live token left when revocation and purchases come at once', async () => {
    for (let round = 0; round < 15; round += 1) {
      const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
      const purchases = [1, 2, 3].map(() => terms({ cookie: binding.cookie, kids: [kid] }));
      await Promise.all([
        ...purchases.map((one) => issuer.hear(completed(one))),
        issuer.hear(registered(binding)),
        issuer.hear(revoked(binding)),
      ]);
      for (const { purchaseId } of purchases) expect(await issuer.liveTokens(purchaseId)).toEqual([]);
    }
  });
});

import { PurchaseRejected, requests } from '@latchkey/contracts';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { completed, Issuer, MERCHANT, registered, terms } from './issuer.js';

let database: TestDatabase;
let issuer: Issuer;
let kid: string;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url, { env: { LATCHKEY_REFUSED_CONFIDENCES: `${MERCHANT}:unknown,${MERCHANT}:software,strict:proof` } });
  kid = await issuer.kid();
});
afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

const REFUSED = 'device-confidence-refused';
type Confidence = 'proof' | 'hardware' | 'software' | undefined;

/** A binding at the registry. What nobody stated of an asserted id is unknown. */
function bind(confidence: Confidence, merchantId = MERCHANT) {
  const cookie = issuer.neighbours.cookie({ merchantId });
  if (confidence === 'proof') return issuer.neighbours.bind(cookie);
  return Object.assign(issuer.neighbours.bind(cookie, crypto.randomUUID(), 'asserted'), { confidence });
}

describe('a merchant that sells nothing to devices of software, or of nothing in particular', () => {
  it.each<[Confidence, 'issued' | 'rejected']>([
    ['proof', 'issued'],
    ['hardware', 'issued'],
    ['software', 'rejected'],
    [undefined, 'rejected'],
  ])('with a device of confidence %s has its purchase %s, whichever comes first', async (confidence, state) => {
    const deviceFirst = bind(confidence);
    const late = terms({ cookie: deviceFirst.cookie, kids: [kid] });
    await issuer.hear(registered(deviceFirst), completed(late));
    const waiting = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    await issuer.hear(completed(waiting));
    const { cookie: _, ...device } = bind(confidence);
    const binding = { ...device, cookie: waiting.cookie };
    issuer.neighbours.bindings.set(waiting.cookie, binding);
    await issuer.hear(registered(binding));
    for (const { purchaseId } of [late, waiting]) {
      const { state: found, code } = await issuer.purchase(MERCHANT, purchaseId);
      expect([found, code]).toEqual([state, state === 'rejected' ? REFUSED : undefined]);
      if (state === 'rejected') await issuer.said(PurchaseRejected, 1, { purchaseId, code: REFUSED });
    }
  });

  it.each<[Confidence, boolean]>([
    ['proof', true],
    ['hardware', true],
    ['software', false],
    [undefined, false],
  ])('over HTTP, with a device of confidence %s: %s', async (confidence, sold) => {
    const { cookie } = bind(confidence);
    const purchase = terms({ cookie, kids: [kid] });
    const asked = { merchantId: MERCHANT, cookie, contentId: 'film-42', kids: [kid], rights: { type: 'purchase' as const } };
    if (sold) {
      expect(await issuer.ask(requests.acceptPurchase, purchase)).toMatchObject({ state: 'issued' });
      expect(await issuer.ask(requests.issueToken, asked)).toMatchObject({ tokenId: expect.any(String) });
      return;
    }
    expect(await issuer.refusal(requests.acceptPurchase, purchase)).toBe(`${REFUSED} 409`);
    expect(await issuer.refusal(requests.issueToken, asked)).toBe(`${REFUSED} 409`);
  });

  it('has a policy of its own', async () => {
    const strictKid = await issuer.kid('strict');
    const strict = (confidence: Confidence) => terms({ merchantId: 'strict', cookie: bind(confidence, 'strict').cookie, kids: [strictKid] });
    expect(await issuer.refusal(requests.acceptPurchase, strict('proof'))).toBe(`${REFUSED} 409`);
    expect(await issuer.ask(requests.acceptPurchase, strict(undefined))).toMatchObject({ state: 'issued' });
  });

  it('renews what it had sold before', async () => {
    const { cookie } = bind('hardware');
    const purchase = terms({ cookie, kids: [kid] });
    await issuer.ask(requests.acceptPurchase, purchase);
    const first = await issuer.ask(requests.getPurchaseToken, purchase);
    await issuer.rows(`update cookie_joins set confidence = 'software' where cookie = $1`, [cookie]);
    await issuer.rows(`update tokens set expires_at = now() where token_id = $1`, [first.tokenId]);
    expect((await issuer.ask(requests.getPurchaseToken, purchase)).tokenId).not.toBe(first.tokenId);
  });
});

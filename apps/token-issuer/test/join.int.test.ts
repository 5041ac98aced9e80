import { requests, TokenIssued } from '@latchkey/contracts';
import { readToken } from '@latchkey/crypto';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdCommit } from './hold-commit.js';
import { completed, Issuer, MERCHANT, registered, terms } from './issuer.js';

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

describe('a purchase and its device', () => {
  it('meet when the purchase comes first', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    expect(await issuer.hear(completed(purchase))).toEqual(['done']);
    expect(await issuer.purchase(MERCHANT, purchase.purchaseId)).toMatchObject({ state: 'awaiting-device', cookie: purchase.cookie });

    const binding = issuer.neighbours.bind(purchase.cookie);
    expect(await issuer.hear(registered(binding))).toEqual(['done']);
    const [event] = await issuedFor(purchase.purchaseId);
    expect(event).toMatchObject({ deviceId: binding.deviceId, kids: [kid], contentId: 'film-42' });
    expect(await issuer.purchase(MERCHANT, purchase.purchaseId)).toMatchObject({ state: 'issued', tokenId: event!.tokenId, deviceId: binding.deviceId });
  });

  it('meet when the device comes first, and nobody is asked', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    issuer.neighbours.asked.length = 0;
    const purchase = terms({ cookie: binding.cookie, kids: [kid] });
    expect(await issuer.hear(completed(purchase, { correlationid: 'one-act' }))).toEqual(['done']);
    expect(issuer.neighbours.asked).toEqual([]);
    await issuedFor(purchase.purchaseId);
    expect(issuer.bus.published.find(({ data }) => (data as { purchaseId?: string }).purchaseId === purchase.purchaseId)?.correlationid).toBe('one-act');
  });

  it('meet once, however often each is delivered', async () => {
    const purchase = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    const binding = issuer.neighbours.bind(purchase.cookie);
    await issuer.hear(completed(purchase, { id: 'the-same' }), completed(purchase, { id: 'the-same' }), completed(purchase));
    await issuer.hear(registered(binding), registered(binding));
    expect(await issuer.hear(completed(purchase, { id: 'the-same' }), completed(purchase), registered(binding))).toEqual(['done', 'done', 'done']);
    await issuedFor(purchase.purchaseId);
    expect(await issuer.liveTokens(purchase.purchaseId)).toHaveLength(1);
    expect(issuer.heardOf(TokenIssued, { purchaseId: purchase.purchaseId })).toHaveLength(1);
  });

  it.each(['purchase', 'device'] as const)('do not miss each other when the %s is not yet committed', async (held) => {
    const cookie = issuer.neighbours.cookie();
    // The join's row is there already, so that nothing but its lock makes the second wait for the first.
    await issuer.hear(completed(terms({ cookie, kids: [kid] })));
    const purchase = terms({ cookie, kids: [kid] });
    const binding = issuer.neighbours.bind(cookie);
    const deliverPurchase = () => issuer.hear(completed(purchase));
    const deliverDevice = () => issuer.hear(registered(binding));
    const verdicts =
      held === 'purchase'
        ? await holdCommit(issuer, 'purchases', deliverPurchase, deliverDevice)
        : await holdCommit(issuer, 'cookie_joins', deliverDevice, deliverPurchase);
    expect(verdicts).toEqual([['done'], ['done']]);
    const [row] = await issuer.rows<{ state: string }>('select state from purchases where purchase_id = $1', [purchase.purchaseId]);
    expect(row).toEqual({ state: 'issued' });
  });

  it('meet under concurrency in random order', async () => {
    const purchases = Array.from({ length: 40 }, () => terms({ cookie: issuer.neighbours.cookie(), kids: [kid] }));
    const bindings = purchases.map(({ cookie }) => issuer.neighbours.bind(cookie));
    const batches = [
      ...[0, 10, 20, 30].map((start) => purchases.slice(start, start + 10).map((one) => completed(one))),
      ...[0, 13, 26].map((start) => bindings.slice(start, start + 14).reverse().map((one) => registered(one))),
    ].sort(() => Math.random() - 0.5);
    await Promise.all(batches.map((batch) => issuer.hear(...batch)));
    for (const { purchaseId } of purchases) expect(await issuer.liveTokens(purchaseId)).toHaveLength(1);
  });

  it('meet when a call and an event bring the same purchase at once', async () => {
    const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(binding));
    for (let round = 0; round < 10; round += 1) {
      const purchase = terms({ cookie: binding.cookie, kids: [kid] });
      const [verdicts, view] = await Promise.all([issuer.hear(completed(purchase)), issuer.ask(requests.acceptPurchase, purchase)]);
      expect(verdicts).toEqual(['done']);
      expect(view.state).toBe('issued');
      expect(await issuer.liveTokens(purchase.purchaseId)).toEqual([{ token_id: view.tokenId }]);
    }
  });
});

describe('a batch', () => {
  it('gives each of its members what it deserves', async () => {
    const bound = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(bound));
    const known = terms({ cookie: bound.cookie, kids: [kid] });
    await issuer.hear(completed(known));
    const good = terms({ cookie: bound.cookie, kids: [kid] });
    const waiting = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    issuer.neighbours.asked.length = 0;
    const verdicts = await issuer.hear(
      completed(good),
      completed({ ...known, contentId: 'another' }),
      completed(terms({ cookie: 'nobody-knows-this', kids: [kid] })),
      completed(terms({ cookie: bound.cookie, kids: ['f'.repeat(32)] })),
      completed(waiting),
      completed({ ...waiting, contentId: 'another' }),
      completed(waiting),
    );
    expect(verdicts).toEqual(['done', 'quarantine', 'retry', 'retry', 'done', 'quarantine', 'done']);
    expect(issuer.neighbours.asked).toEqual([requests.lookUpCookies.name]);
    expect(await issuer.purchase(MERCHANT, known.purchaseId)).toMatchObject({ state: 'issued', contentId: 'film-42' });
    expect((await issuer.purchase(MERCHANT, good.purchaseId)).state).toBe('issued');
    expect((await issuer.purchase(MERCHANT, waiting.purchaseId)).state).toBe('awaiting-device');
  });

  it('keeps merchants apart', async () => {
    const bound = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(bound));
    const own = terms({ cookie: bound.cookie, kids: [kid] });
    const foreign = { ...own, merchantId: 'other' };
    // The other merchant uses the same purchase id with a cookie and a kid that are not its own.
    expect(await issuer.hear(completed(own), completed(foreign))).toEqual(['done', 'retry']);
    expect(await issuer.refusal(requests.getPurchase, { merchantId: 'other', purchaseId: own.purchaseId })).toBe('purchase-unknown 404');
    const otherCookie = issuer.neighbours.cookie({ merchantId: 'other' });
    issuer.neighbours.bind(otherCookie);
    expect(await issuer.hear(completed({ ...foreign, cookie: otherCookie }, { attempt: 3 }))).toEqual(['done']);
    expect(await issuer.purchase('other', own.purchaseId)).toMatchObject({ state: 'rejected', code: 'kid-unknown' });
  });

  it('has wait what it has to ask for while nothing answers, however late the attempt, and nothing else', async () => {
    const bound = issuer.neighbours.bind(issuer.neighbours.cookie());
    await issuer.hear(registered(bound));
    const unheardOf = terms({ cookie: issuer.neighbours.cookie(), kids: [kid] });
    const known = () => completed(terms({ cookie: bound.cookie, kids: [kid] }));
    issuer.neighbours.silent.add(requests.lookUpCookies.name);
    expect(await issuer.hear(known(), completed(unheardOf, { attempt: 7 }))).toEqual(['done', 'wait']);
    issuer.neighbours.silent.clear();
    issuer.neighbours.silent.add(requests.lookUpBindings.name);
    const later = terms({ cookie: issuer.neighbours.cookie({ ttlMs: -5_000 }), kids: [kid] });
    expect(await issuer.hear(known(), completed(unheardOf, { attempt: 8 }), completed(later, { attempt: 8 }))).toEqual(['done', 'done', 'wait']);
    issuer.neighbours.silent.clear();
    expect(await issuer.hear(completed(later))).toEqual(['done']);
    expect((await issuer.purchase(MERCHANT, later.purchaseId)).code).toBe('cookie-expired');
  });
});

it('binds the token to the device, with its keys as they lie at rest', async () => {
  const proven = issuer.neighbours.bind(issuer.neighbours.cookie());
  const asserted = issuer.neighbours.bind(issuer.neighbours.cookie(), 'A1'.repeat(16), 'asserted');
  await issuer.hear(registered(proven), registered(asserted));
  const rights = { type: 'rental' as const, availableUntil: '2027-01-01T00:00:00.900Z', playDurationSeconds: 3600 };
  const purchases = [proven, asserted].map(({ cookie }) => terms({ cookie, kids: [kid], rights }));
  await issuer.hear(...purchases.map((one) => completed(one)));
  const [stored] = await issuer.rows<{ wrapped_key: string }>('select wrapped_key from content_keys where kid = $1', [kid]);
  const claims = await Promise.all(
    purchases.map(async (purchase) => {
      const { token } = await issuer.ask(requests.getPurchaseToken, purchase);
      const read = readToken(token);
      if (!read.ok || read.kind !== 'content') throw new Error('no content token');
      return read.claims;
    }),
  );
  expect(claims[0]).toMatchObject({
    iss: 'latchkey',
    aud: 'https://licenses.example/v1/licenses',
    merchant: MERCHANT,
    cookie: proven.cookie,
    purchase: purchases[0]!.purchaseId,
    content: 'film-42',
    kids: [kid],
    keys: [stored!.wrapped_key],
    rights: { type: 'rental', available_until: Date.parse('2027-01-01T00:00:00Z') / 1000, play_duration: 3600 },
    cnf: { jkt: proven.deviceId },
  });
  expect(claims[1]).toMatchObject({ device: asserted.deviceId });
  expect(claims[1]).not.toHaveProperty('cnf');
});

it('puts a registration aside that cannot be right, and handles its neighbours', async () => {
  const sound = issuer.neighbours.bind(issuer.neighbours.cookie());
  const malformed = { ...issuer.neighbours.bind(issuer.neighbours.cookie()), deviceId: 'no-thumbprint' };
  expect(await issuer.hear(registered(malformed), registered(sound))).toEqual(['quarantine', 'done']);
  const second = issuer.neighbours.bind(sound.cookie);
  expect(await issuer.hear(registered(second))).toEqual(['quarantine']);
});

import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { completed, Issuer, registered, revoked, terms } from './issuer.js';

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

/** Waits until a service that has just started, and does its housekeeping with it, has left so many rows. */
async function expectLeft(count: number, sql: string): Promise<void> {
  const replica = await Issuer.start(database.url, { neighbours: issuer.neighbours });
  try {
    await eventually(async () => expect(await issuer.rows(sql)).toHaveLength(count));
  } finally {
    await replica.stop();
  }
}

it('forgets requests whose day is over, however many, and no others', async () => {
  await issuer.rows(`insert into token_requests (merchant_id, idempotency_key, request, token_id, created_at)
    select 'default', 'old-' || n, '', '', clock_timestamp() - interval '25 hours' from generate_series(1, 2500) as n
    union all select 'default', 'young', '', '', clock_timestamp() - interval '23 hours'`);
  await expectLeft(1, 'select 1 from token_requests');
});

async function issued() {
  const binding = issuer.neighbours.bind(issuer.neighbours.cookie());
  const purchase = terms({ cookie: binding.cookie, kids: [kid] });
  await issuer.hear(registered(binding));
  await issuer.hear(completed(purchase));
  const [token] = await issuer.liveTokens(purchase.purchaseId);
  return { binding, purchase, tokenId: token!.token_id };
}

/** Shifts a token so that it expired so many days ago. */
const expire = (tokenId: string, days: number) =>
  issuer.rows(
    `update tokens set issued_at = clock_timestamp() - make_interval(days => $2 + 1), expires_at = clock_timestamp() - make_interval(days => $2)
     where token_id = $1`,
    [tokenId, days],
  );

const tokenIds = async () => new Set((await issuer.rows<{ token_id: string }>('select token_id from tokens')).map((row) => row.token_id));

it('forgets tokens 35 days after their expiry, but not the one from which a purchase is renewed', async () => {
  const current = await issued();
  const superseded = await issued();
  await expire(superseded.tokenId, 1);
  const successor = await issuer.ask(requests.getPurchaseToken, superseded.purchase);
  const young = await issued();
  const ofRevoked = await issued();
  await issuer.hear(revoked(young.binding), revoked(ofRevoked.binding));
  const { cookie } = issuer.neighbours.bind(issuer.neighbours.cookie());
  const direct = await issuer.ask(requests.issueToken, { merchantId: 'default', cookie, contentId: 'film-42', kids: [kid], rights: { type: 'purchase' } });
  const gone = [superseded.tokenId, ofRevoked.tokenId, direct.tokenId];
  for (const tokenId of [...gone, current.tokenId]) await expire(tokenId, 36);
  await expire(young.tokenId, 34);
  await issuer.rows(
    `insert into tokens (token_id, merchant_id, device_id, token, kek_ids, signing_key_id, issued_at, expires_at)
     select 'bulk-' || n, merchant_id, device_id, token, kek_ids, signing_key_id, issued_at, expires_at
     from tokens cross join generate_series(1, 2500) as n where token_id = $1`,
    [direct.tokenId],
  );

  await expectLeft(3, 'select 1 from tokens');
  expect(await tokenIds()).toEqual(new Set([current.tokenId, successor.tokenId, young.tokenId]));
  expect(await issuer.refusal(requests.getPurchaseToken, ofRevoked.purchase)).toBe('device-revoked 409');
  expect(await issuer.purchase('default', ofRevoked.purchase.purchaseId)).toMatchObject({ state: 'issued', tokenId: ofRevoked.tokenId });
  const renewed = await issuer.ask(requests.getPurchaseToken, current.purchase);
  expect(renewed.tokenId).not.toBe(current.tokenId);
});

it('forgets the token of a sale without a purchase, and renews it from what was sold', async () => {
  const { cookie, deviceId } = issuer.neighbours.bind(issuer.neighbours.cookie());
  const input = { merchantId: 'default', cookie, deviceId, contentId: 'film-42', kid: 'ab'.repeat(16), key: 'cd'.repeat(16), rights: { type: 'purchase' as const }, ttlSeconds: 60 };
  const { tokenId } = await issuer.ask(requests.issueCorrelatedToken, input);
  await expire(tokenId, 36);
  await expectLeft(0, `select 1 from tokens where token_id = '${tokenId}'`);
  const renewed = await issuer.ask(requests.issueCorrelatedToken, { ...input, contentId: 'another' });
  expect(renewed.tokenId).not.toBe(tokenId);
  expect(await issuer.rows('select token_id, content_id from correlated_tokens where cookie = $1', [cookie])).toEqual([{ token_id: renewed.tokenId, content_id: 'film-42' }]);
});

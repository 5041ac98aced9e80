import { FakeDevice } from '@latchkey/kits';
import { createLogger } from '@latchkey/service-defaults';
import type { TokenRights } from '@latchkey/crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Housekeeping } from '../src/housekeeping.js';
import { type Bench, contentToken, nowSeconds, openBenchWithReplica, type Replica } from './bench.js';

let bench: Bench & { replica: Replica };
let second: Replica;

beforeAll(async () => {
  bench = await openBenchWithReplica();
  second = await bench.start();
});
afterAll(async () => bench?.close());

const rental = (rights: Partial<Extract<TokenRights, { type: 'rental' }>> = {}): TokenRights => ({
  type: 'rental',
  available_until: nowSeconds() + 3_600,
  play_duration: 600,
  ...rights,
});

/** As if the licence had been asked for so much earlier. */
async function turnClockBack(subject: string, seconds: number): Promise<void> {
  const rows = await bench.rows(`update rental_clocks set started_at = started_at - interval '${seconds} seconds' where subject = '${subject}' returning 1`);
  expect(rows[1]).toBe(1);
}

const device = new FakeDevice();
async function codeOf(token: string, replica = bench.replica): Promise<string> {
  const answer = await replica.ask(device, { token });
  return answer.status === 200 ? 'granted' : answer.body.code!;
}

describe('rights', () => {
  it('open from availableFrom on, for a purchase as for a rental', async () => {
    const soon = nowSeconds() + 2;
    const purchase = contentToken(bench, device, { rights: { type: 'purchase', available_from: soon } });
    const rented = contentToken(bench, device, { rights: rental({ available_from: soon }) });
    expect([await codeOf(purchase), await codeOf(rented)]).toEqual(['rental-not-started', 'rental-not-started']);
    await new Promise((resolve) => setTimeout(resolve, soon * 1000 - Date.now() + 50));
    expect([await codeOf(purchase), await codeOf(rented)]).toEqual(['granted', 'granted']);
  });

  it('of a rental end with availableUntil, however young its play clock', async () => {
    const token = contentToken(bench, device, { rights: rental({ available_until: nowSeconds() + 2 }) });
    expect(await codeOf(token)).toBe('granted');
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    expect(await codeOf(token)).toBe('rental-expired');
  });
});

describe('the play clock', () => {
  it('starts at the first licence and ends the rental at every replica', async () => {
    const token = contentToken(bench, device, { jti: 'tok_clock', rights: rental() });
    expect(await codeOf(token)).toBe('granted');
    await turnClockBack('token/tok_clock', 598);
    expect(await codeOf(token, second)).toBe('granted');
    await turnClockBack('token/tok_clock', 2);
    expect([await codeOf(token), await codeOf(token, second)]).toEqual(['rental-expired', 'rental-expired']);
  });

  it('does not start by a licence that is refused', async () => {
    const token = contentToken(bench, device, { jti: 'tok_unstarted', rights: rental() });
    expect((await bench.replica.ask(device, { token, kids: ['0'.repeat(32)] })).status).toBe(403);
    expect((await bench.replica.ask(new FakeDevice(), { token })).status).toBe(401);
    expect(await bench.rows(`select from rental_clocks where subject = 'token/tok_unstarted'`)).toEqual([]);
  });

  it('belongs to the purchase: a renewed token finds it running', async () => {
    const first = contentToken(bench, device, { purchase: 'order-1', rights: rental() });
    expect(await codeOf(first)).toBe('granted');
    await turnClockBack('purchase/order-1', 600);
    const renewed = contentToken(bench, device, { purchase: 'order-1', rights: rental() });
    expect(await codeOf(renewed)).toBe('rental-expired');
    const sameIdOfAnotherMerchant = contentToken(bench, device, { merchant: 'm2', purchase: 'order-1', rights: rental() });
    expect(await codeOf(sameIdOfAnotherMerchant)).toBe('granted');
  });

  it('goes on for the purchase that took the token over, and for its renewals', async () => {
    expect(await codeOf(contentToken(bench, device, { jti: 'tok_first', rights: rental() }))).toBe('granted');
    const renewed = contentToken(bench, device, { purchase: 'order-4', clock: 'tok_first', rights: rental({ available_until: nowSeconds() + 7_200 }) });
    await turnClockBack('token/tok_first', 598);
    expect(await codeOf(renewed)).toBe('granted');
    await turnClockBack('token/tok_first', 2);
    expect(await codeOf(renewed)).toBe('rental-expired');
    expect(await bench.rows(`select from rental_clocks where subject = 'purchase/order-4'`)).toEqual([]);
  });

  it('starts once, however many first licences come at once', async () => {
    const token = contentToken(bench, device, { purchase: 'order-2', rights: rental() });
    await codeOf(contentToken(bench, device));
    const codes = await Promise.all(Array.from({ length: 20 }, (_, index) => codeOf(token, [bench.replica, second][index % 2])));
    expect(new Set(codes)).toEqual(new Set(['granted']));
    expect(await bench.rows(`select from rental_clocks where subject = 'purchase/order-2'`)).toHaveLength(1);
  });

  it('survives a restart', async () => {
    const token = contentToken(bench, device, { purchase: 'order-3', rights: rental() });
    expect(await codeOf(token)).toBe('granted');
    await turnClockBack('purchase/order-3', 600);
    const third = await bench.start();
    expect(await codeOf(token, third)).toBe('rental-expired');
    await third.stop();
  });
});

describe('housekeeping', () => {
  it('forgets what can no longer change an answer, and nothing else', async () => {
    await bench.rows(`insert into rental_clocks (merchant_id, subject, started_at, available_until) values
      ('h', 'purchase/over', now(), now() - interval '2 hours'), ('h', 'purchase/just over', now(), now() - interval '1 minute'),
      ('h', 'token/over', now(), now() - interval '401 days'), ('h', 'token/may be taken over', now(), now() - interval '399 days'),
      ('h', 'token/running', now() - interval '1 year', now() + interval '1 day')`);
    await bench.rows(`insert into revoked_tokens (merchant_id, token_id, expires_at) values
      ('h', 'over', now() - interval '2 hours'), ('h', 'just over', now() - interval '1 minute'), ('h', 'live', now() + interval '1 day')`);
    await new Housekeeping(second.dataSource, createLogger('test', 'silent')).prune();
    const kept = await bench.rows<{ subject: string }>(`select subject from rental_clocks where merchant_id = 'h' order by 1`);
    expect(kept.map(({ subject }) => subject)).toEqual(['purchase/just over', 'token/may be taken over', 'token/running']);
    expect(await bench.rows(`select token_id from revoked_tokens where merchant_id = 'h' order by 1`)).toEqual([{ token_id: 'just over' }, { token_id: 'live' }]);
  });
});

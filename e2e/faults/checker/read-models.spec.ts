import { describe, expect, it } from '@jest/globals';
import type { FeedRow } from '../final-state.js';
import { add, change, feedRow, goodRun, license, type MadeUpRun, ok, refused, tokenRow, unknown } from './made-up-run.js';
import { checkReadModels, COPIES_LATE_MS } from './read-models.js';

const breachesOf = ({ history, final }: MadeUpRun): string[] => checkReadModels(history, final).broken.map(({ what }) => what);
const feed = (edit: (feed: readonly FeedRow[]) => FeedRow[]): MadeUpRun => change(goodRun(), { feed: edit(goodRun().final.feed) });
const without = (type: string): MadeUpRun => feed((rows) => rows.filter((row) => row.type !== type));
const twice = (type: string): MadeUpRun => feed((rows) => [...rows, { ...rows.find((row) => row.type === type)!, sequence: 99 }]);

describe('I4, read models equal the fold of their sources', () => {
  it('holds for the good run, every aspect but revocations being tried', () => {
    const { history, final } = goodRun();
    const { tried, broken } = checkReadModels(history, final);
    expect(broken).toEqual([]);
    expect(tried).toEqual({ bindings: 1, revocations: 0, 'signing keys': 1, 'feed of tokens': 1, 'feed of devices': 1, 'feed of licences': 1, 'feed of purchases': 1 });
  });

  it.each([
    ['the cookie service never heard of a binding', change(goodRun(), { cookies: [{ cookie: 'c1', expiresMs: 3_600_000, boundMs: null }] })],
    ['the cookie service has another time', change(goodRun(), { cookies: [{ cookie: 'c1', expiresMs: 3_600_000, boundMs: 7 }] })],
    ['the cookie service lost the cookie', change(goodRun(), { cookies: [], registry: { knownCookies: [] } })],
    ['the cookie service has a binding of its own', change(goodRun(), { cookies: [...goodRun().final.cookies, { cookie: 'c2', expiresMs: 1, boundMs: 5 }] })],
    ['the issuer never heard of a binding', change(goodRun(), { issuer: { joins: [{ cookie: 'c1', deviceId: null }] } })],
    ['the issuer has a binding of its own', change(goodRun(), { issuer: { joins: [...goodRun().final.issuer.joins, { cookie: 'c2', deviceId: 'd2' }] } })],
    ['the registry never heard of a cookie', change(goodRun(), { registry: { knownCookies: [] } })],
    ['the licence server never heard of a signing key', change(goodRun(), { licenseServer: { signingKeyIds: [] } })],
    ['an event never got its number', feed((rows) => rows.map((row) => ({ ...row, sequence: row.sequence === 3 ? null : row.sequence })))],
  ])('breaks when %s', (_what, run) => {
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('breaks when the issuer, the licence server or the token itself does not know of a revoked device', () => {
    const run = change(goodRun(), { registry: { devices: [{ deviceId: 'd1', revoked: true }] } });
    expect(breachesOf(run)).toHaveLength(3);
    change(run, { issuer: { devices: [{ deviceId: 'd1', revoked: true }], tokens: [tokenRow({ revokedMs: 9_000 })] } });
    change(run, { licenseServer: { revokedDeviceIds: ['d1'], revokedTokenIds: ['t1'] }, feed: [...run.final.feed, feedRow(9, 'token.revoked.v1', { tokenId: 't1' })] });
    expect(breachesOf(run)).toEqual([]);
    expect(checkReadModels(run.history, run.final).tried['revocations']).toBe(2);
  });

  it('asks nobody to know of a token that was stopped when it had expired', () => {
    expect(breachesOf(change(goodRun(), { issuer: { tokens: [tokenRow({ supersededMs: 100_000 })] } }))).toEqual([]);
    expect(breachesOf(change(goodRun(), { issuer: { tokens: [tokenRow({ supersededMs: 99_999 })] } }))).toHaveLength(2);
  });

  it('breaks when somebody knows of a revocation that never was', () => {
    expect(breachesOf(change(goodRun(), { licenseServer: { revokedDeviceIds: ['d1'] } }))).toHaveLength(1);
    expect(breachesOf(change(goodRun(), { licenseServer: { revokedTokenIds: ['t1'] } }))).toHaveLength(1);
    expect(breachesOf(change(goodRun(), { issuer: { devices: [{ deviceId: 'd1', revoked: true }] } }))).toHaveLength(1);
  });

  it.each(['token.issued.v1', 'device.registered.v1', 'license.granted.v1', 'purchase.completed.v1'])('breaks when the feed has %s not at all, or twice', (type) => {
    expect(breachesOf(without(type))).toHaveLength(1);
    expect(breachesOf(twice(type))).toHaveLength(1);
  });

  it('breaks when the feed tells of what never happened', () => {
    const rows: FeedRow[] = [
      feedRow(8, 'token.issued.v1', { tokenId: 't7' }),
      feedRow(9, 'license.granted.v1', { tokenId: 't7' }),
      feedRow(10, 'purchase.rejected.v1', { purchaseId: 'p1' }),
    ];
    expect(breachesOf(feed((all) => [...all, ...rows]))).toHaveLength(3);
  });

  it('lets a licence of which nobody knows be told or not, and one that was refused not', () => {
    const run = goodRun();
    add(run, 5_000, license(), unknown);
    expect(breachesOf(run)).toEqual([]);
    const told: FeedRow = feedRow(9, 'license.granted.v1', { tokenId: 't1' });
    expect(breachesOf(change(run, { feed: [...run.final.feed, told] }))).toEqual([]);
    const refusedOnly = goodRun();
    add(refusedOnly, 5_000, license(), refused(401, 'invalid-token'));
    expect(breachesOf(change(refusedOnly, { feed: [...refusedOnly.final.feed, told] }))).toHaveLength(1);
  });

  it('lets an event be told twice only while a fault publishes events again under other ids', () => {
    const during = change(goodRun(), { feed: [...goodRun().final.feed, feedRow(99, 'token.issued.v1', { tokenId: 't1' }, 6_500)] });
    add(during, 6_000, { type: 'fault', name: 'kill-broker' }, ok({ struck: 1 }), 1_000);
    expect(breachesOf(during)).toHaveLength(1);
    add(during, 6_000, { type: 'fault', name: 'duplicates', repeatsEvents: true }, ok({ struck: 1 }), 1_000);
    expect(breachesOf(during)).toEqual([]);
  });

  it.each(['token.issued.v1', 'license.granted.v1'])('breaks when %s is told twice outside of the time of such a fault', (type) => {
    for (const receivedMs of [5_999, 7_001 + COPIES_LATE_MS]) {
      const run = change(goodRun(), { feed: [...goodRun().final.feed, feedRow(99, type, { tokenId: 't1' }, receivedMs)] });
      add(run, 6_000, { type: 'fault', name: 'duplicates', repeatsEvents: true }, ok({ struck: 1 }), 1_000);
      expect(breachesOf(run)).toHaveLength(1);
    }
  });

  it('wants a refund told, and of one that came before its purchase only that', () => {
    const tombstone = { purchaseId: 'p2', state: 'refunded', code: null, cookie: null, contentId: null, kids: null, tokenId: null };
    const run = change(goodRun(), { issuer: { purchases: [...goodRun().final.issuer.purchases, tombstone] } });
    expect(breachesOf(run)).toEqual([expect.stringContaining('purchase.refunded.v1 of p2 stands in the feed 0 times')]);
    expect(breachesOf(change(run, { feed: [...run.final.feed, feedRow(9, 'purchase.refunded.v1', { purchaseId: 'p2' })] }))).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { checkEveryPurchaseEnds } from './every-purchase-ends.js';
import { add, change, goodRun, license, type MadeUpRun, ok, refused, terms, tokenRow, unknown } from './made-up-run.js';

const breachesOf = ({ history, final }: MadeUpRun): string[] => checkEveryPurchaseEnds(history, final).broken.map(({ what }) => what);
const ended = (run: MadeUpRun, row: Record<string, unknown>): MadeUpRun =>
  change(run, { issuer: { purchases: [{ ...run.final.issuer.purchases[0]!, ...row }] } });
const unbound = (run: MadeUpRun): MadeUpRun => change(run, { registry: { bindings: [] } });
const revoked = (run: MadeUpRun): MadeUpRun => change(run, { registry: { devices: [{ deviceId: 'd1', revoked: true }] } });
const withoutToken = (run: MadeUpRun): MadeUpRun => change(run, { issuer: { tokens: [tokenRow({ revokedMs: 5_000, revokeReason: 'device-revoked' })] } });

describe('I1, every accepted purchase ends', () => {
  it('holds for a purchase with its live token, and says that it was tried', () => {
    const { history, final } = goodRun();
    expect(checkEveryPurchaseEnds(history, final)).toEqual({ invariant: 'I1', tried: { 'device registered': 1, refunds: 0 }, broken: [] });
  });

  it('breaks when an accepted purchase is in nobody’s books', () => {
    const run = change(goodRun(), { issuer: { purchases: [], tokens: [] } });
    expect(breachesOf(run)).toEqual([expect.stringContaining('nobody’s books')]);
  });

  it('breaks when a purchase in good order lies in quarantine, and not for one that contradicts itself', () => {
    const row = { queue: 'token-issuer.dlq', reason: 'it went wrong too often', messageId: 'm1', type: 'purchase.completed.v1', purchaseId: 'p1' };
    const run = change(goodRun(), { quarantined: [row, { ...row, purchaseId: null }, { ...row, purchaseId: 'poison' }] });
    expect(breachesOf(run)).toEqual([expect.stringContaining('lies in token-issuer.dlq')]);
    add(run, 5_000, { type: 'purchase', via: 'amqp', terms: { ...terms, contentId: 'another' }, messageId: 'm2' });
    expect(breachesOf(run)).toEqual([]);
  });

  it('asks nothing of a purchase that was returned as unroutable, or of which nobody knows', () => {
    const run = goodRun();
    add(run, 5_000, { type: 'purchase', via: 'amqp', terms: { ...terms, purchaseId: 'p2' }, messageId: 'm2' }, refused(0, 'unroutable'));
    add(run, 5_000, { type: 'purchase', via: 'amqp', terms: { ...terms, purchaseId: 'p3' }, messageId: 'm3' }, unknown);
    expect(breachesOf(run)).toEqual([]);
  });

  it('counts an unknown attempt that was then accepted under the same id', () => {
    const run = goodRun();
    const second = { ...terms, purchaseId: 'p2' };
    add(run, 5_000, { type: 'purchase', via: 'amqp', terms: second, messageId: 'm2' }, unknown);
    add(run, 6_000, { type: 'purchase', via: 'amqp', terms: second, messageId: 'm2' });
    expect(breachesOf(run)).toEqual([expect.stringContaining('purchase p2')]);
  });

  it.each([
    ['waits though its device came', ended(goodRun(), { state: 'awaiting-device', tokenId: null })],
    ['waits though its cookie is over', change(unbound(ended(goodRun(), { state: 'awaiting-device' })), { cookies: [{ cookie: 'c1', expiresMs: 9_000, boundMs: null }] })],
    ['is issued without a live token', withoutToken(goodRun())],
    ['has a token for a device that is not bound', change(goodRun(), { registry: { bindings: [{ cookie: 'c1', accountId: 'a1', deviceId: 'd2', registeredMs: 1 }] } })],
    ['is refunded by nobody', ended(goodRun(), { state: 'refunded' })],
    ['is rejected for a revocation that never was', ended(goodRun(), { state: 'rejected', code: 'device-revoked' })],
    ['is rejected for another device, and named none', ended(goodRun(), { state: 'rejected', code: 'device-mismatch' })],
    ['is rejected as expired, with a device bound', ended(goodRun(), { state: 'rejected', code: 'cookie-expired' })],
    ['is rejected for a cookie that is known', ended(goodRun(), { state: 'rejected', code: 'cookie-unknown' })],
    ['is rejected for a kid that is stored', ended(goodRun(), { state: 'rejected', code: 'kid-unknown' })],
    ['is rejected without a code', ended(goodRun(), { state: 'rejected', code: null })],
  ])('breaks when a purchase %s', (_what, run) => {
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('holds for ends that are deserved', () => {
    expect(breachesOf(unbound(ended(goodRun(), { state: 'awaiting-device' })))).toEqual([]);
    expect(breachesOf(revoked(withoutToken(goodRun())))).toEqual([]);
    expect(breachesOf(revoked(ended(goodRun(), { state: 'rejected', code: 'device-revoked' })))).toEqual([]);
    const over = change(unbound(ended(goodRun(), { state: 'rejected', code: 'cookie-expired' })), { cookies: [{ cookie: 'c1', expiresMs: 9_000, boundMs: null }] });
    expect(breachesOf(over)).toEqual([]);
  });

  it('breaks when an accepted refund left the token alive, and not when the refund is unknown', () => {
    const run = goodRun();
    add(run, 5_000, { type: 'refund', via: 'amqp', purchaseId: 'p1' }, unknown);
    expect(breachesOf(run)).toEqual([]);
    add(run, 6_000, { type: 'refund', via: 'amqp', purchaseId: 'p1' });
    expect(breachesOf(run)).toEqual([expect.stringContaining('its refund was accepted')]);
    expect(breachesOf(ended(run, { state: 'refunded' }))).toEqual([]);
  });

  it('takes no excuse in the epilogue: the live token is given, and opens', () => {
    const asked = { type: 'token', purchaseId: 'p1', waitSeconds: 0 } as const;
    const run = goodRun();
    add(run, 50_000, asked, unknown, 10, 'epilogue');
    expect(breachesOf(run)).toEqual([expect.stringContaining('not given')]);
    add(run, 51_000, asked, ok({ tokenId: 't1' }), 10, 'epilogue');
    expect(breachesOf(run)).toEqual([]);
    add(run, 52_000, license(), refused(401, 'invalid-token'), 10, 'epilogue');
    expect(breachesOf(run)).toEqual([expect.stringContaining('opens nothing')]);
    add(run, 53_000, license(), refused(403, 'rental-expired'), 10, 'epilogue');
    expect(breachesOf(run)).toEqual([]);
  });

  it('breaks when the epilogue is given a token of a purchase that ended without one', () => {
    const run = ended(goodRun(), { state: 'refunded', tokenId: null });
    add(run, 5_000, { type: 'refund', via: 'http', purchaseId: 'p1' });
    expect(breachesOf(run)).toEqual([]);
    add(run, 51_000, { type: 'token', purchaseId: 'p1', waitSeconds: 0 }, ok({ tokenId: 't1' }), 10, 'epilogue');
    expect(breachesOf(run)).toEqual([expect.stringContaining('a token is given though it has none')]);
  });

  it('lets a token that expired before it was used open nothing', () => {
    const run = goodRun();
    const expiresAt = new Date(52_000).toISOString();
    add(run, 51_000, { type: 'token', purchaseId: 'p1', waitSeconds: 0 }, ok({ tokenId: 't1', expiresAt }), 10, 'epilogue');
    add(run, 51_995, license(), refused(401, 'invalid-token'), 10, 'epilogue');
    expect(breachesOf(run)).toEqual([]);
  });
});

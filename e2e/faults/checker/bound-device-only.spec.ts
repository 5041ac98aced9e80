import { describe, expect, it } from '@jest/globals';
import { checkBoundDeviceOnly, REVOCATION_BITES_MS } from './bound-device-only.js';
import { add, change, goodRun, license, type MadeUpRun, ok, refused, terms, tokenRow, unknown } from './made-up-run.js';

const verdictOf = ({ history, final }: MadeUpRun) => checkBoundDeviceOnly(history, final);
const breachesOf = (run: MadeUpRun): string[] => verdictOf(run).broken.map(({ what }) => what);
/** A run in which `said` was answered at 10,010. */
const after = (said: Parameters<typeof add>[2], outcome = ok()): MadeUpRun => {
  const run = goodRun();
  add(run, 10_000, said, outcome);
  return run;
};
const tooLateMs = 10_010 + REVOCATION_BITES_MS + 1;
const revoke = { type: 'revoke', deviceId: 'd1' } as const;

describe('I8, no licence to another device, none after a revocation', () => {
  it('holds for the bound device, and for a thief who was refused', () => {
    const run = goodRun();
    add(run, 4_000, license({ deviceId: 'thief' }), refused(401, 'invalid-token'));
    expect(verdictOf(run)).toMatchObject({ tried: { 'the bound device': 1, 'another device': 1 }, broken: [] });
  });

  it('breaks when a thief gets one, the token is nobody’s, or the cookie is bound to another device than the token', () => {
    const stolen = goodRun();
    const entry = add(stolen, 4_000, license({ deviceId: 'thief' }));
    expect(verdictOf(stolen).broken).toEqual([{ what: expect.stringContaining('went to thief'), entries: [entry.index] }]);
    const forged = goodRun();
    add(forged, 4_000, license({ tokenId: 't7' }));
    expect(breachesOf(forged)).toEqual([expect.stringContaining('which nobody issued')]);
    const mistaken = change(goodRun(), { registry: { bindings: [{ cookie: 'c1', accountId: 'a1', deviceId: 'd2', registeredMs: 1 }] } });
    expect(breachesOf(mistaken)).toHaveLength(1);
    const swapped = change(goodRun(), { issuer: { tokens: [tokenRow({ deviceId: 'd2' })] } });
    expect(breachesOf(swapped)).toHaveLength(1);
  });

  it.each([
    ['the device is revoked', () => after(revoke)],
    ['the purchase is refunded', () => after({ type: 'refund', via: 'http', purchaseId: 'p1' })],
    ['the purchase was seen refunded', () => after({ type: 'show-purchase', purchaseId: 'p1' }, ok({ state: 'refunded' }))],
    ['the token is superseded', () => after({ type: 'token', purchaseId: 'p1', waitSeconds: 0 }, ok({ tokenId: 't2' }))],
  ])('breaks when a licence is given more than a second after the answer that %s, and not within it', (_what, ended) => {
    const racing = ended();
    add(racing, tooLateMs - 10, license());
    expect(breachesOf(racing)).toEqual([]);
    const late = ended();
    add(late, tooLateMs, license());
    expect(breachesOf(late)).toHaveLength(1);
    const vain = ended();
    add(vain, tooLateMs, license(), refused(401, 'invalid-token'));
    expect(breachesOf(vain)).toEqual([]);
  });

  it('goes by when the licence was asked for, not by when it was answered', () => {
    const run = after(revoke);
    add(run, 10_500, license(), ok(), 5_000);
    expect(breachesOf(run)).toEqual([]);
  });

  it('says nothing by a revocation of which nobody knows, or a refund that only the broker has', () => {
    for (const run of [after(revoke, unknown), after({ type: 'refund', via: 'amqp', purchaseId: 'p1' })]) {
      add(run, tooLateMs, license());
      expect(breachesOf(run)).toEqual([]);
    }
  });

  it('knows an unknown revocation from its repetition', () => {
    const run = after(revoke, unknown);
    add(run, 12_000, revoke);
    add(run, 13_000, license());
    expect(breachesOf(run)).toEqual([]);
    add(run, 12_011 + REVOCATION_BITES_MS, license());
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('gives a revocation that met a fault until all has drained, and no longer', () => {
    const run = after(revoke);
    add(run, 10_800, { type: 'fault', name: 'broker-killed' }, ok({ struck: 1 }), 9_000);
    add(run, 15_000, license());
    expect(breachesOf(run)).toEqual([]);
    add(run, run.final.drainedMs! + 1, license());
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('does not forgive for a fault that began when the revocation had bitten', () => {
    const run = after(revoke);
    add(run, tooLateMs, { type: 'fault', name: 'broker-killed' }, ok({ struck: 1 }), 9_000);
    add(run, 15_000, license());
    expect(breachesOf(run)).toHaveLength(1);
  });

  it('breaks when a rental goes on past its time, by whatever token', () => {
    const run = change(goodRun(), { issuer: { tokens: [tokenRow(), tokenRow({ tokenId: 't2' })] } });
    add(run, 1_950, { type: 'purchase', via: 'http', terms: { ...terms, rights: { type: 'rental', playDurationSeconds: 3 } } });
    add(run, 6_000, license());
    expect(breachesOf(run)).toEqual([]);
    add(run, 6_111, license({ tokenId: 't2' }));
    expect(breachesOf(run)).toEqual([expect.stringContaining('rentals that are over')]);
  });
});

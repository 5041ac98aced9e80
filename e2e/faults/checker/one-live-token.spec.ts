import { describe, expect, it } from '@jest/globals';
import type { TokenRow } from '../final-state.js';
import { add, change, goodRun, type MadeUpRun, ok, tokenRow } from './made-up-run.js';
import { checkOneLiveToken } from './one-live-token.js';

const breachesOf = ({ history, final }: MadeUpRun): string[] => checkOneLiveToken(history, final).broken.map(({ what }) => what);
const withTokens = (...tokens: TokenRow[]): MadeUpRun => change(goodRun(), { issuer: { tokens } });
/** Steps of purchase p1, such as `+t1` and `-t1`. */
const withSteps = (...steps: string[]): MadeUpRun =>
  change(goodRun(), {
    issuer: { tokenSteps: steps.map((step) => ({ purchaseId: 'p1', tokenId: step.slice(1), what: step.startsWith('+') ? 'live' : 'ended' })) },
  });
const asked = { type: 'token', purchaseId: 'p1', waitSeconds: 0 } as const;

describe('I2, one live token', () => {
  it('holds for a renewal, in which one takes the other’s place within a second', () => {
    const run = withTokens(tokenRow({ supersededMs: 20_700 }), tokenRow({ tokenId: 't2', issuedMs: 20_000 }));
    expect(checkOneLiveToken(run.history, run.final)).toMatchObject({ tried: { instants: 100, 'purchases with a token': 1, renewals: 1 }, broken: [] });
  });

  it('holds for renewals and an end, and for steps of different purchases', () => {
    expect(breachesOf(withSteps('+t1', '-t1', '+t2', '-t2'))).toEqual([]);
    const both = withSteps('+t1');
    change(both, { issuer: { tokenSteps: [...both.final.issuer.tokenSteps, { purchaseId: 'p2', tokenId: 't2', what: 'live' }] } });
    expect(breachesOf(both)).toEqual([]);
  });

  it.each([
    ['before the earlier one ended', ['+t1', '+t2', '-t1']],
    ['and the one before that lives on', ['+t1', '-t1', '+t2', '+t3', '-t2']],
    ['again', ['+t1', '-t1', '+t2', '+t1']],
  ])('breaks when a token became live %s, however short both were', (_what, steps) => {
    expect(breachesOf(withSteps(...steps))).toEqual([expect.stringContaining('were live at once')]);
  });

  it('holds for tokens of different purchases, and for direct ones', () => {
    const others = [tokenRow({ tokenId: 't2', purchaseId: 'p2' }), tokenRow({ tokenId: 't3', purchaseId: null }), tokenRow({ tokenId: 't4', purchaseId: null })];
    expect(breachesOf(withTokens(tokenRow(), ...others))).toEqual([]);
  });

  it('breaks when two are live in the end', () => {
    expect(breachesOf(withTokens(tokenRow(), tokenRow({ tokenId: 't2' })))).toEqual([expect.stringContaining('t1 and t2 are both live')]);
  });

  it('breaks when two were seen live, however short, and has not been tried where nobody looked', () => {
    const found = [{ atMs: 20_000, purchaseId: 'p1', tokenIds: ['t1', 't2'] }];
    const run = change(goodRun(), { liveTokens: { looks: 7, found } });
    expect(checkOneLiveToken(run.history, run.final)).toMatchObject({ tried: { instants: 7 }, broken: [{ what: 'purchase p1: t1 and t2 were seen live at once' }] });
    expect(checkOneLiveToken([], change(goodRun(), { liveTokens: { looks: 0, found: [] } }).final).tried['instants']).toBe(0);
  });

  it('breaks when an earlier token is given again after a later one', () => {
    const run = goodRun();
    add(run, 5_000, asked, ok({ tokenId: 't2' }));
    expect(breachesOf(run)).toEqual([]);
    const late = add(run, 6_000, asked, ok({ tokenId: 't1' }));
    const [breach] = checkOneLiveToken(run.history, run.final).broken;
    expect(breach?.what).toContain('t1 was given again');
    expect(breach?.entries).toContain(late.index);
  });

  it('proves nothing by answers that overlap', () => {
    const run = goodRun();
    add(run, 5_000, asked, ok({ tokenId: 't2' }), 3_000);
    add(run, 6_000, asked, ok({ tokenId: 't1' }));
    expect(breachesOf(run)).toEqual([]);
  });

  it('says that it was not tried where there is no token', () => {
    const { history } = goodRun();
    const verdict = checkOneLiveToken(history.filter(({ operation }) => operation.type !== 'token'), withTokens().final);
    expect(verdict.tried).toEqual({ instants: 100, steps: 1, 'purchases with a token': 0, renewals: 0, 'tokens asked for again': 0 });
  });
});

import { describe, expect, it } from '@jest/globals';
import type { TokenRow } from '../final-state.js';
import type { Outcome } from '../history.js';
import type { Terms } from '../operation.js';
import { add, change, goodRun, type MadeUpRun, ok, refused, terms, tokenRow, unknown } from './made-up-run.js';
import { checkNoTokenUnasked } from './no-token-unasked.js';

const breachesOf = ({ history, final }: MadeUpRun): string[] => checkNoTokenUnasked(history, final).broken.map(({ what }) => what);
const withTokens = (...tokens: TokenRow[]): MadeUpRun => change(goodRun(), { issuer: { tokens } });
const attempt = (run: MadeUpRun, change: Partial<Terms>, outcome: Outcome): MadeUpRun => {
  add(run, 4_000, { type: 'purchase', via: 'amqp', terms: { ...terms, ...change }, messageId: 'm2' }, outcome);
  return run;
};

describe('I3, no token unasked', () => {
  it('holds for a token of an accepted purchase', () => {
    const { history, final } = goodRun();
    expect(checkNoTokenUnasked(history, final)).toMatchObject({ tried: { 'tokens of purchases': 1 }, broken: [] });
  });

  it('holds for a purchase of which nobody knew, and whose token was then seen', () => {
    const token = tokenRow({ tokenId: 't2', purchaseId: 'p2' });
    expect(breachesOf(attempt(withTokens(tokenRow(), token), { purchaseId: 'p2' }, unknown))).toEqual([]);
  });

  it('breaks when nobody made the purchase, or the broker returned it, or the gateway refused it', () => {
    const forged = () => withTokens(tokenRow(), tokenRow({ tokenId: 't2', purchaseId: 'p2' }));
    expect(breachesOf(forged())).toHaveLength(1);
    expect(breachesOf(attempt(forged(), { purchaseId: 'p2' }, refused(0, 'unroutable')))).toHaveLength(1);
    expect(breachesOf(attempt(forged(), { purchaseId: 'p2' }, refused(409, 'kid-unknown')))).toHaveLength(1);
  });

  it('breaks when the token opens more than was bought, or is for another cookie', () => {
    expect(breachesOf(withTokens(tokenRow({ kids: ['k1', 'k2'] })))).toHaveLength(1);
    expect(breachesOf(withTokens(tokenRow({ cookie: 'c2' })))).toHaveLength(1);
  });

  describe('for tokens asked for directly', () => {
    const direct = tokenRow({ tokenId: 't9', purchaseId: null });
    const asking = (run: MadeUpRun, idempotencyKey: string, outcome: Outcome): MadeUpRun => {
      add(run, 5_000, { type: 'direct-token', cookie: 'c1', kids: ['k1'], idempotencyKey }, outcome);
      return run;
    };

    it('holds for the one that was answered, after any number of unknown attempts under its key', () => {
      const run = asking(asking(withTokens(tokenRow(), direct), 'i1', unknown), 'i1', ok({ tokenId: 't9' }));
      expect(checkNoTokenUnasked(run.history, run.final)).toMatchObject({ tried: { 'tokens asked for directly': 1 }, broken: [] });
    });

    it('breaks when nobody asked, or who asked was refused', () => {
      expect(breachesOf(withTokens(direct))).toHaveLength(1);
      expect(breachesOf(asking(withTokens(direct), 'i1', refused(409, 'device-not-registered')))).toHaveLength(1);
    });

    it('lets an unanswered request account for one token, not for two', () => {
      const twin = tokenRow({ tokenId: 't8', purchaseId: null });
      expect(breachesOf(asking(withTokens(direct), 'i1', unknown))).toEqual([]);
      expect(breachesOf(asking(asking(withTokens(direct, twin), 'i1', unknown), 'i1', unknown))).toHaveLength(1);
    });
  });
});

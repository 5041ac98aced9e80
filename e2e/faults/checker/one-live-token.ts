import type { FinalState } from '../final-state.js';
import type { Entry } from '../history.js';
import { liveTogether } from '../token-steps.js';
import { entriesOf, groupBy, valueOf } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

type Aspect = 'instants' | 'steps' | 'purchases with a token' | 'renewals' | 'tokens asked for again';

/**
 * I2. Three looks: what was live at each of many instants; the steps that the issuer's database noted, in its own order;
 * and what callers were given. After a later token has been given an earlier one may never be given again, because at some
 * instant between the two answers both would have been live.
 */
export function checkOneLiveToken(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I2', ['instants', 'steps', 'purchases with a token', 'renewals', 'tokens asked for again']);
  findings.try('instants', final.liveTokens.looks);
  for (const { purchaseId, tokenIds } of final.liveTokens.found) findings.breach(`purchase ${purchaseId}: ${tokenIds.join(' and ')} were seen live at once`);
  const ofPurchases = final.issuer.tokens.filter(({ purchaseId }) => purchaseId !== null);
  for (const [purchaseId, tokens] of groupBy(ofPurchases, (token) => token.purchaseId!)) {
    findings.try('purchases with a token');
    findings.try('renewals', tokens.length - 1);
    const alive = tokens.filter(({ supersededMs, revokedMs }) => supersededMs === null && revokedMs === null);
    if (alive.length > 1) findings.breach(`purchase ${purchaseId}: ${alive.map(({ tokenId }) => tokenId).join(' and ')} are both live`);
  }
  findings.try('steps', final.issuer.tokenSteps.length);
  for (const { purchaseId, tokenIds } of liveTogether(final.issuer.tokenSteps)) {
    findings.breach(`purchase ${purchaseId}: ${tokenIds.join(' and ')} were live at once`);
  }
  checkAnswers(history, findings);
  return findings.verdict();
}

function checkAnswers(history: readonly Entry[], findings: Findings<Aspect>): void {
  const answered = entriesOf(history, 'token').filter((entry) => valueOf(entry, 'tokenId') !== undefined);
  for (const [purchaseId, answers] of groupBy(answered, ({ operation }) => operation.purchaseId)) {
    findings.try('tokens asked for again', answers.length - 1);
    for (const late of answers) {
      const tokenId = valueOf(late, 'tokenId');
      const same = answers.filter((entry) => valueOf(entry, 'tokenId') === tokenId);
      const early = same.reduce((first, entry) => (entry.endedMs < first.endedMs ? entry : first));
      // Given, then another given, then given again: answers that overlap in time prove nothing.
      const between = answers.find(
        (entry) => valueOf(entry, 'tokenId') !== tokenId && entry.startedMs > early.endedMs && entry.endedMs < late.startedMs,
      );
      if (between) findings.breach(`purchase ${purchaseId}: ${tokenId} was given again after another`, early, between, late);
    }
  }
}

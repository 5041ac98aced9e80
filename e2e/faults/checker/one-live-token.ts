import type { FinalState, TokenRow } from '../final-state.js';
import type { Entry } from '../history.js';
import { entriesOf, groupBy, valueOf } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

/** `issuedMs` is rounded down to a second; only from the next one on was the token certainly there. */
const ROUNDING_MS = 1_000;
/**
 * It is also read at the beginning of the transaction that supersedes the token before, and faults stop transactions for
 * up to five seconds half-way. Both become visible when it commits.
 */
const TRANSACTION_MS = 6_000;

type Aspect = 'instants' | 'purchases with a token' | 'renewals' | 'tokens asked for again';

/**
 * I2. Three looks: what was live at each of many instants, the intervals in which the issuer's books say that a token was
 * live, and what those who asked were given. Who has been given a later token may never be given an earlier one again, because at some instant between the
 * two answers both would have been live.
 */
export function checkOneLiveToken(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I2', ['instants', 'purchases with a token', 'renewals', 'tokens asked for again']);
  findings.try('instants', final.liveTokens.looks);
  for (const { purchaseId, tokenIds } of final.liveTokens.found) findings.breach(`purchase ${purchaseId}: ${tokenIds.join(' and ')} were seen live at once`);
  const ofPurchases = final.issuer.tokens.filter(({ purchaseId }) => purchaseId !== null);
  for (const [purchaseId, tokens] of groupBy(ofPurchases, (token) => token.purchaseId!)) {
    findings.try('purchases with a token');
    findings.try('renewals', tokens.length - 1);
    for (const [one, other] of pairsOf(tokens)) {
      const overlapMs = Math.min(endOf(one), endOf(other)) - Math.max(startOf(one), startOf(other));
      const bothForEver = one.supersededMs === null && one.revokedMs === null && other.supersededMs === null && other.revokedMs === null;
      if (overlapMs > 0 || bothForEver) {
        findings.breach(`purchase ${purchaseId}: ${one.tokenId} and ${other.tokenId} were live at once`);
      }
    }
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

function startOf({ issuedMs }: TokenRow): number {
  return issuedMs + ROUNDING_MS + TRANSACTION_MS;
}

function endOf({ supersededMs, revokedMs, expiresMs }: TokenRow): number {
  return Math.min(supersededMs ?? Infinity, revokedMs ?? Infinity, expiresMs);
}

function pairsOf<T>(items: readonly T[]): [T, T][] {
  return items.flatMap((one, index) => items.slice(index + 1).map((other): [T, T] => [one, other]));
}

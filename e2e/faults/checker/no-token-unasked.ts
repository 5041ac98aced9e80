import type { FinalState, TokenRow } from '../final-state.js';
import type { Entry } from '../history.js';
import { entriesOf, groupBy, mayHaveHappened, succeeded, valueOf } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

const aspects = ['tokens of purchases', 'upstream tokens', 'tokens asked for directly', 'ExpressPlay sales'] as const;
type Aspect = (typeof aspects)[number];

/**
 * I3. Every token goes back to somebody who asked: a purchase that was or may have been accepted, with its cookie and
 * its kids, or a direct request. A request that nobody got an answer to accounts for one token, not for any number.
 */
export function checkNoTokenUnasked(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I3', aspects);
  const attempts = groupBy(entriesOf(history, 'purchase').filter(mayHaveHappened), ({ operation }) => operation.terms.purchaseId);
  for (const token of final.issuer.tokens.filter(({ purchaseId }) => purchaseId !== null)) {
    findings.try(token.isUpstream ? 'upstream tokens' : 'tokens of purchases');
    const stated = (attempts.get(token.purchaseId!) ?? []).map(({ operation }) => operation.terms);
    if (stated.length === 0) findings.breach(`token ${token.tokenId} is of purchase ${token.purchaseId}, which nobody made`);
    else if (!stated.some((terms) => terms.cookie === token.cookie && sameKids(terms.kids, token.kids))) {
      findings.breach(`token ${token.tokenId} is not what purchase ${token.purchaseId} bought`, ...(attempts.get(token.purchaseId!) ?? []));
    }
  }
  checkDirectTokens(history, final.issuer.tokens.filter(({ purchaseId }) => purchaseId === null), findings);
  return findings.verdict();
}

function checkDirectTokens(history: readonly Entry[], tokens: readonly TokenRow[], findings: Findings<Aspect>): void {
  const requests = entriesOf(history, 'direct-token');
  findings.try('ExpressPlay sales', requests.filter((entry) => entry.operation.via === 'expressplay' && succeeded(entry)).length);
  for (const [cookie, issued] of groupBy(tokens, (token) => token.cookie)) {
    findings.try('tokens asked for directly', issued.length);
    const asked = requests.filter((entry) => entry.operation.cookie === cookie && mayHaveHappened(entry));
    const given = new Set(asked.map((entry) => valueOf(entry, 'tokenId')));
    // Under one idempotency key there is one token, however often it was asked for.
    const answered = new Set(asked.filter(({ outcome }) => outcome.kind === 'ok').map(({ operation }) => operation.idempotencyKey));
    const unanswered = new Set(asked.map(({ operation }) => operation.idempotencyKey).filter((key) => !answered.has(key)));
    const unclaimed = issued.filter(({ tokenId }) => !given.has(tokenId));
    if (unclaimed.length > unanswered.size) {
      findings.breach(`cookie ${cookie}: ${unclaimed.length} tokens were issued that ${unanswered.size} unanswered requests may account for`, ...asked);
    }
  }
}

function sameKids(some: readonly string[], others: readonly string[]): boolean {
  return [...some].sort().join() === [...others].sort().join();
}

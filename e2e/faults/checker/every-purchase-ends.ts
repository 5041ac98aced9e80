import type { FinalState, PurchaseRow, TokenRow } from '../final-state.js';
import type { Entry } from '../history.js';
import type { Terms } from '../operation.js';
import { entriesOf, type EntryOf, groupBy, mayHaveHappened, succeeded, valueOf } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

/** How long after its cookie's expiry a waiting purchase may still wait: the grace, a sweep, and a slow machine. */
const EXPIRY_SLACK_MS = 10_000;

type Aspect = 'device registered' | 'refunds';

/**
 * I1. Accepted is what was confirmed and not returned, or answered 202. Whatever was accepted must be in the issuer's
 * books: with a current token of the bound device, or at an end that its story deserves. Quarantine is no end
 * for a purchase in good order.
 */
export function checkEveryPurchaseEnds(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I1', ['device registered', 'refunds']);
  const facts = factsOf(history, final);
  for (const [purchaseId, attempts] of groupBy(entriesOf(history, 'purchase'), ({ operation }) => operation.terms.purchaseId)) {
    const accepted = attempts.filter(succeeded);
    if (accepted.length === 0) continue;
    const row = facts.purchases.get(purchaseId);
    const bound = attempts.some(({ operation }) => facts.deviceOf.has(operation.terms.cookie));
    if (bound) findings.try('device registered');
    const refund = facts.refunds.get(purchaseId)?.find(succeeded);
    if (refund) findings.try('refunds');
    const problem = row ? problemOf(row, attempts.map(({ operation }) => operation.terms), facts) : 'it was accepted and is in nobody’s books';
    if (problem !== undefined) findings.breach(`purchase ${purchaseId}: ${problem}`, ...accepted);
    else if (refund && row?.state !== 'refunded' && row?.state !== 'rejected') {
      findings.breach(`purchase ${purchaseId}: its refund was accepted, and it is ${row?.state}`, refund, ...accepted);
    }
  }
  checkQuarantine(history, final, findings);
  checkEpilogue(history, facts, findings);
  return findings.verdict();
}

interface Facts {
  readonly final: FinalState;
  readonly purchases: ReadonlyMap<string, PurchaseRow>;
  readonly currentTokens: ReadonlyMap<string, TokenRow>;
  /** Bound device by cookie. */
  readonly deviceOf: ReadonlyMap<string, string>;
  readonly revokedDevices: ReadonlySet<string>;
  readonly cookieExpiry: ReadonlyMap<string, number>;
  readonly kidsStored: ReadonlySet<string>;
  readonly refunds: ReadonlyMap<string, readonly EntryOf<'refund'>[]>;
}

function factsOf(history: readonly Entry[], final: FinalState): Facts {
  const current = final.issuer.tokens.filter((token) => token.supersededMs === null && token.revokedMs === null);
  return {
    final,
    purchases: new Map(final.issuer.purchases.map((row) => [row.purchaseId, row])),
    currentTokens: new Map(current.map((token) => [token.tokenId, token])),
    deviceOf: new Map(final.registry.bindings.map(({ cookie, deviceId }) => [cookie, deviceId])),
    revokedDevices: new Set(final.registry.devices.filter(({ revoked }) => revoked).map(({ deviceId }) => deviceId)),
    cookieExpiry: new Map(final.cookies.map(({ cookie, expiresMs }) => [cookie, expiresMs])),
    kidsStored: new Set(entriesOf(history, 'content-key').filter(succeeded).map(({ operation }) => operation.kid)),
    refunds: groupBy(entriesOf(history, 'refund'), ({ operation }) => operation.purchaseId),
  };
}

/** What is wrong about where a purchase ended, or undefined. */
function problemOf(row: PurchaseRow, terms: readonly Terms[], facts: Facts): string | undefined {
  const cookie = row.cookie ?? terms[0]!.cookie;
  const device = facts.deviceOf.get(cookie);
  switch (row.state) {
    case 'issued':
      return problemOfIssued(row, device, facts);
    case 'awaiting-device': {
      if (device !== undefined) return 'its device registered, and it still waits';
      const expiresMs = facts.cookieExpiry.get(cookie) ?? Infinity;
      return expiresMs + EXPIRY_SLACK_MS < facts.final.readMs ? 'its cookie expired, and it still waits' : undefined;
    }
    case 'refunded':
      return facts.refunds.get(row.purchaseId)?.some(mayHaveHappened) ? undefined : 'it is refunded, and nobody refunded it';
    case 'rejected': {
      const deserved = deserves(row.code, { cookie, device, terms }, facts);
      return deserved ? undefined : `it was rejected as ${row.code}, which it did not deserve`;
    }
    default:
      return `it is ${row.state}, which is no end`;
  }
}

function problemOfIssued(row: PurchaseRow, device: string | undefined, { currentTokens, revokedDevices }: Facts): string | undefined {
  if (device !== undefined && revokedDevices.has(device)) return undefined;
  const token = row.tokenId === null ? undefined : currentTokens.get(row.tokenId);
  if (!token) return 'it is issued, and has no live token';
  return token.deviceId === device ? undefined : 'its token is for a device that is not bound to its cookie';
}

function deserves(
  code: string | null,
  { cookie, device, terms }: { readonly cookie: string; readonly device: string | undefined; readonly terms: readonly Terms[] },
  { cookieExpiry, revokedDevices, kidsStored, final }: Facts,
): boolean {
  switch (code) {
    case 'device-revoked':
      return device !== undefined && revokedDevices.has(device);
    case 'device-mismatch':
      return device !== undefined && terms.some(({ deviceId }) => deviceId !== undefined && deviceId !== device);
    case 'cookie-expired':
      return device === undefined && (cookieExpiry.get(cookie) ?? Infinity) <= final.readMs;
    case 'cookie-unknown':
      return !cookieExpiry.has(cookie);
    case 'kid-unknown':
      return terms.some(({ kids }) => kids.some((kid) => !kidsStored.has(kid)));
    default:
      return false;
  }
}

/** A purchase that was only ever stated in one way has nothing to do in quarantine, whatever else became of it. */
function checkQuarantine(history: readonly Entry[], { quarantined }: FinalState, findings: Findings<Aspect>): void {
  const attempts = groupBy(entriesOf(history, 'purchase'), ({ operation }) => operation.terms.purchaseId);
  for (const { queue, type, purchaseId, reason } of quarantined) {
    const stated = attempts.get(purchaseId ?? '') ?? [];
    const ways = new Set(stated.map(({ operation }) => JSON.stringify(operation.terms)));
    if (type === 'purchase.completed.v1' && ways.size === 1) {
      findings.breach(`purchase ${purchaseId}: it is in good order, and lies in ${queue}: ${reason}`, ...stated);
    }
  }
}

/** What the epilogue asked for after all had healed: there is no excuse any more for not knowing. */
function checkEpilogue(history: readonly Entry[], { purchases, deviceOf, revokedDevices }: Facts, findings: Findings<Aspect>): void {
  const epilogue = history.filter(({ actor }) => actor === 'epilogue');
  const licences = groupBy(entriesOf(epilogue, 'license'), ({ operation }) => operation.tokenId);
  for (const [purchaseId, calls] of groupBy(entriesOf(epilogue, 'token'), ({ operation }) => operation.purchaseId)) {
    const asked = calls.at(-1)!;
    const row = purchases.get(purchaseId);
    const device = row?.cookie ? deviceOf.get(row.cookie) : undefined;
    const live = row?.state === 'issued' && device !== undefined && !revokedDevices.has(device);
    if (live && !succeeded(asked)) findings.breach(`purchase ${purchaseId}: it is issued, and its token is not given`, asked);
    if (!live && succeeded(asked)) findings.breach(`purchase ${purchaseId}: a token is given though it has none`, asked);
    const played = licences.get(valueOf(asked, 'tokenId') ?? '')?.at(-1);
    const expiresMs = Date.parse(valueOf(asked, 'expiresAt') ?? '') || Infinity;
    if (live && played && !succeeded(played) && !isOver(played) && played.endedMs < expiresMs) {
      findings.breach(`purchase ${purchaseId}: its live token opens nothing on its device`, asked, played);
    }
  }
}

/** A rental that has been played is over, and its token is live all the same. */
function isOver({ outcome }: Entry): boolean {
  return outcome.kind === 'refused' && outcome.code === 'rental-expired';
}

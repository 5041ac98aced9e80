import type { FeedRow, FinalState, PurchaseRow } from '../final-state.js';
import type { Entry } from '../history.js';
import { entriesOf, groupBy, mayHaveHappened, succeeded, wasStopped } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

const aspects = ['bindings', 'revocations', 'signing keys', 'feed of tokens', 'feed of devices', 'feed of licences', 'feed of purchases'] as const;
type Aspect = (typeof aspects)[number];

/**
 * I4. What a service knows of another's data must be what it would know had it heard every event once: cookies of
 * bindings, the issuer of devices, the licence server of revocations, the gateway of everything that merchants are told.
 */
export function checkReadModels(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I4', aspects);
  checkBindings(final, findings);
  checkRevocations(final, findings);
  const isRepeat = repeatsIn(history);
  checkFeedOfServices(final, isRepeat, findings);
  checkFeedOfLicences(history, final.feed, isRepeat, findings);
  const keys = new Set(final.licenseServer.signingKeyIds);
  for (const keyId of final.issuer.signingKeyIds) {
    findings.try('signing keys');
    if (!keys.has(keyId)) findings.breach(`the licence server never heard of signing key ${keyId}`);
  }
  return findings.verdict();
}

/** How long after such a fault a copy may still come: the run waits until the queues are short again. */
export const COPIES_LATE_MS = 5_000;

/** Whether an event of the feed may be a copy. */
type IsRepeat = (row: FeedRow) => boolean;

/**
 * What a fault published again under another id is another event to the feed, and may stand there twice: what came while the
 * fault lasted, and nothing else.
 */
function repeatsIn(history: readonly Entry[]): IsRepeat {
  const windows = entriesOf(history, 'fault').filter(({ operation }) => operation.repeatsEvents === true);
  return ({ receivedMs }) => windows.some(({ startedMs, endedMs }) => startedMs <= receivedMs && receivedMs <= endedMs + COPIES_LATE_MS);
}

function checkBindings(final: FinalState, findings: Findings<Aspect>): void {
  const cookies = new Map(final.cookies.map((row) => [row.cookie, row]));
  const joins = new Map(final.issuer.joins.map(({ cookie, deviceId }) => [cookie, deviceId]));
  const bound = new Set(final.registry.bindings.map(({ cookie }) => cookie));
  for (const { cookie, deviceId, registeredMs } of final.registry.bindings) {
    findings.try('bindings');
    const known = cookies.get(cookie);
    if (!known) findings.breach(`cookie ${cookie} is bound, and the cookie service has none of that name`);
    else if (known.boundMs !== registeredMs) findings.breach(`cookie ${cookie} is bound since ${registeredMs}, and the cookie service has ${known.boundMs}`);
    if (joins.get(cookie) !== deviceId) findings.breach(`cookie ${cookie} is bound to ${deviceId}, and the issuer has ${joins.get(cookie) ?? 'none'}`);
  }
  for (const { cookie, boundMs } of final.cookies) {
    if (boundMs !== null && !bound.has(cookie)) findings.breach(`the cookie service has ${cookie} as bound, and the registry has not`);
  }
  for (const [cookie, deviceId] of joins) {
    if (deviceId !== null && !bound.has(cookie)) findings.breach(`the issuer has ${cookie} as bound to ${deviceId}, and the registry has not`);
  }
  const known = new Set(final.registry.knownCookies);
  for (const cookie of known) if (!cookies.has(cookie)) findings.breach(`the registry knows cookie ${cookie}, which was never issued`);
  for (const { cookie, expiresMs } of final.cookies) {
    if (expiresMs > final.readMs && !known.has(cookie)) findings.breach(`the registry never heard of cookie ${cookie}`);
  }
}

function checkRevocations(final: FinalState, findings: Findings<Aspect>): void {
  const revoked = final.registry.devices.filter((device) => device.revoked).map(({ deviceId }) => deviceId);
  const knownToIssuer = final.issuer.devices.filter((device) => device.revoked).map(({ deviceId }) => deviceId);
  findings.try('revocations', revoked.length);
  compare(revoked, knownToIssuer, 'revoked device', 'issuer', findings);
  compare(revoked, final.licenseServer.revokedDeviceIds, 'revoked device', 'licence server', findings);
  const stopped = final.issuer.tokens.filter(wasStopped);
  findings.try('revocations', stopped.length);
  compare(stopped.map(({ tokenId }) => tokenId), final.licenseServer.revokedTokenIds, 'stopped token', 'licence server', findings);
  const gone = new Set(revoked);
  for (const { tokenId, deviceId, supersededMs, revokedMs } of final.issuer.tokens) {
    if (gone.has(deviceId) && supersededMs === null && revokedMs === null) findings.breach(`token ${tokenId} lives on, and its device is revoked`);
  }
}

function compare(source: readonly string[], copy: readonly string[], what: string, who: string, findings: Findings<Aspect>): void {
  const [true_, known] = [new Set(source), new Set(copy)];
  for (const id of true_) if (!known.has(id)) findings.breach(`${what} ${id}: the ${who} does not know`);
  for (const id of known) if (!true_.has(id)) findings.breach(`${what} ${id}: the ${who} made it up`);
}

/** Every event of the services stands in the feed, once. */
function checkFeedOfServices(final: FinalState, isRepeat: IsRepeat, findings: Findings<Aspect>): void {
  const { tokens, purchases } = final.issuer;
  const stopped = tokens.filter(wasStopped);
  const idsOf = (wanted: (purchase: PurchaseRow) => boolean): string[] => purchases.filter(wanted).map(({ purchaseId }) => purchaseId);
  const expected = (type: string, key: string, aspect: Aspect, ids: readonly string[]): void =>
    expectTold({ feed: final.feed, type, key, aspect, isRepeat }, ids, findings);
  expected('token.issued.v1', 'tokenId', 'feed of tokens', tokens.map(({ tokenId }) => tokenId));
  expected('token.revoked.v1', 'tokenId', 'feed of tokens', stopped.map(({ tokenId }) => tokenId));
  // Of a purchase that was refunded before it came there is only the refund to tell.
  expected('purchase.completed.v1', 'purchaseId', 'feed of purchases', idsOf(({ cookie }) => cookie !== null));
  expected('purchase.refunded.v1', 'purchaseId', 'feed of purchases', idsOf(({ state }) => state === 'refunded'));
  expected('purchase.rejected.v1', 'purchaseId', 'feed of purchases', idsOf(({ state }) => state === 'rejected'));
  expected('device.registered.v1', 'cookie', 'feed of devices', final.registry.bindings.map(({ cookie }) => cookie));
  for (const { sequence, type } of final.feed) {
    if (sequence === null) findings.breach(`an event of the feed (${type}) never got its number`);
  }
}

interface Told {
  readonly feed: readonly FeedRow[];
  readonly type: string;
  /** The member of the data that says what the event is about. */
  readonly key: string;
  readonly aspect: Aspect;
  readonly isRepeat: IsRepeat;
}

function expectTold({ feed, type, key, aspect, isRepeat }: Told, ids: readonly string[], findings: Findings<Aspect>): void {
  const told = groupBy(feed.filter((row) => row.type === type), ({ data }) => String(data[key]));
  findings.try(aspect, ids.length);
  for (const id of ids) {
    const rows = told.get(id) ?? [];
    const times = rows.length;
    if (times < 1 || rows.filter((row) => !isRepeat(row)).length > 1) findings.breach(`${type} of ${id} stands in the feed ${times} times`);
  }
  const source = new Set(ids);
  for (const id of told.keys()) if (!source.has(id)) findings.breach(`${type} of ${id} stands in the feed, and never happened`);
}

/** A licence that was given is told once; one of which nobody knows, once at most. */
function checkFeedOfLicences(history: readonly Entry[], feed: readonly FeedRow[], isRepeat: IsRepeat, findings: Findings<Aspect>): void {
  const told = groupBy(feed.filter(({ type }) => type === 'license.granted.v1'), ({ data }) => String(data['tokenId']));
  const asked = groupBy(entriesOf(history, 'license'), ({ operation }) => operation.tokenId);
  for (const [tokenId, licences] of asked) {
    const given = licences.filter(succeeded).length;
    const most = licences.filter(mayHaveHappened).length;
    const rows = told.get(tokenId) ?? [];
    const times = rows.length;
    findings.try('feed of licences', given);
    if (times < given || rows.filter((row) => !isRepeat(row)).length > most) {
      findings.breach(`${times} licences of token ${tokenId} stand in the feed, and ${given} to ${most} were given`, ...licences.filter(mayHaveHappened));
    }
  }
  for (const tokenId of told.keys()) {
    if (!asked.has(tokenId)) findings.breach(`a licence of token ${tokenId} stands in the feed, and nobody asked for one`);
  }
}

import type { FinalState } from '../final-state.js';
import type { Entry } from '../history.js';
import { entriesOf, type EntryOf, groupBy, succeeded, valueOf } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

/** How long after a revocation was answered a licence may still be given while the parts are up. */
export const REVOCATION_BITES_MS = 1_000;

const aspects = ['the bound device', 'another device', 'revoked devices', 'refunded purchases', 'superseded tokens', 'rentals that are over'] as const;
type Aspect = (typeof aspects)[number];

/** From when on nothing may be given any more, and the operation that says so. */
interface End {
  readonly fromMs: number;
  readonly because: Entry;
}

/**
 * I8. A licence that was given went to the device that the registry has bound to the token's cookie; and none was given
 * that was asked for a second after somebody had been answered that the device is revoked, the purchase refunded or the
 * token superseded. A revocation that met a fault may take as long as healing takes, and no longer.
 */
export function checkBoundDeviceOnly(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I8', aspects);
  const tokens = new Map(final.issuer.tokens.map((token) => [token.tokenId, token]));
  const bound = new Map(final.registry.bindings.map(({ cookie, deviceId }) => [cookie, deviceId]));
  const ends = endsOf(history, final);
  for (const licence of entriesOf(history, 'license')) {
    const { tokenId, deviceId } = licence.operation;
    const token = tokens.get(tokenId);
    findings.try(token?.deviceId === deviceId ? 'the bound device' : 'another device');
    const over = ends(licence);
    for (const { aspect } of over) findings.try(aspect);
    if (!succeeded(licence)) continue;
    if (!token) findings.breach(`a licence was given for token ${tokenId}, which nobody issued`, licence);
    else if (token.deviceId !== deviceId || bound.get(token.cookie) !== deviceId) {
      findings.breach(`a licence of token ${tokenId} went to ${deviceId}, which is not bound to its cookie`, licence);
    }
    for (const { aspect, end } of over) findings.breach(`a licence was given in spite of ${aspect}: token ${tokenId}`, end.because, licence);
  }
  return findings.verdict();
}

type EndsOf = (licence: EntryOf<'license'>) => readonly { readonly aspect: Aspect; readonly end: End }[];

function endsOf(history: readonly Entry[], final: FinalState): EndsOf {
  const endOf = (said: Entry): End => ({ fromMs: bitesFromMs(said, history, final), because: said });
  const devices = firstEnds(entriesOf(history, 'revoke').filter(succeeded), ({ operation }) => operation.deviceId, endOf);
  const seenRefunded = entriesOf(history, 'show-purchase').filter((entry) => valueOf(entry, 'state') === 'refunded');
  const refundedOverHttp = entriesOf(history, 'refund').filter((entry) => entry.operation.via === 'http' && succeeded(entry));
  const purchases = firstEnds([...seenRefunded, ...refundedOverHttp], ({ operation }) => operation.purchaseId, endOf);
  const superseded = supersededTokens(history, endOf);
  const rentals = overRentals(history);
  return (licence) => {
    const { tokenId, deviceId, purchaseId } = licence.operation;
    const found: [Aspect, End | undefined][] = [
      ['revoked devices', devices.get(deviceId)],
      ['refunded purchases', purchaseId === undefined ? undefined : purchases.get(purchaseId)],
      ['superseded tokens', superseded.get(tokenId)],
      ['rentals that are over', purchaseId === undefined ? undefined : rentals.get(purchaseId)],
    ];
    return found.flatMap(([aspect, end]) => (end && licence.startedMs > end.fromMs ? [{ aspect, end }] : []));
  };
}

/** A token is superseded, for all to see, when a later one of its purchase has been given. */
function supersededTokens(history: readonly Entry[], endOf: (said: Entry) => End): Map<string, End> {
  const answered = entriesOf(history, 'token').filter(succeeded);
  const superseded = new Map<string, End>();
  for (const answers of groupBy(answered, ({ operation }) => operation.purchaseId).values()) {
    for (const early of answers) {
      const tokenId = valueOf(early, 'tokenId')!;
      const later = answers.filter((entry) => entry.startedMs > early.endedMs && valueOf(entry, 'tokenId') !== tokenId);
      if (later.length > 0) keepEarlier(superseded, tokenId, endOf(earliest(later)));
    }
  }
  return superseded;
}

/** A rental's clock has started at the latest when its first licence was answered, and no renewal starts it again. */
function overRentals(history: readonly Entry[]): Map<string, End> {
  const seconds = new Map(
    entriesOf(history, 'purchase').map(({ operation: { terms } }) => [terms.purchaseId, Number(terms.rights['playDurationSeconds'] ?? Infinity)]),
  );
  const rentals = new Map<string, End>();
  for (const licence of entriesOf(history, 'license').filter(succeeded)) {
    const { purchaseId = '' } = licence.operation;
    const fromMs = licence.endedMs + 1_000 * (seconds.get(purchaseId) ?? Infinity);
    if (Number.isFinite(fromMs)) keepEarlier(rentals, purchaseId, { fromMs, because: licence });
  }
  return rentals;
}

function firstEnds<E extends Entry>(said: readonly E[], keyOf: (entry: E) => string, endOf: (said: Entry) => End): Map<string, End> {
  const ends = new Map<string, End>();
  for (const entry of said) keepEarlier(ends, keyOf(entry), endOf(entry));
  return ends;
}

function keepEarlier(ends: Map<string, End>, key: string, end: End): void {
  const known = ends.get(key);
  if (!known || end.fromMs < known.fromMs) ends.set(key, end);
}

/** A second after the answer; or where a fault was about meanwhile, when everything had healed and drained. */
function bitesFromMs(said: Entry, history: readonly Entry[], final: FinalState): number {
  const fromMs = said.endedMs + REVOCATION_BITES_MS;
  const troubled = entriesOf(history, 'fault').some((fault) => fault.startedMs <= fromMs && fault.endedMs >= said.startedMs);
  return troubled ? Math.max(fromMs, final.drainedMs ?? Infinity) : fromMs;
}

function earliest(entries: readonly Entry[]): Entry {
  return entries.reduce((first, entry) => (entry.endedMs < first.endedMs ? entry : first));
}

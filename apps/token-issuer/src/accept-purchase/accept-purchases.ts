import { errorCodes, normaliseDeviceId, PurchaseCompleted, PurchaseRejected } from '@latchkey/contracts';
import type { TokenSigner } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { TokenIssuerConfiguration } from '../config.js';
import { contentKeyKey, findContentKeys } from '../content-key-store.js';
import type { CookieKnowledge } from '../cookie-authorities.js';
import { closeRefundedSales, type LatePurchase } from '../correlated-token/close-refunded-sales.js';
import { endOf, TokensForPurchases } from '../correlated-token/tokens-for-purchases.js';
import { holdCookies } from '../held-cookies.js';
import { type Arrival, decideArrival, type Purchase, type RejectionCode } from '../purchase.js';
import { findPurchases, insertPurchases, type NewPurchase, purchaseKey } from '../purchase-store.js';
import { appendIssued } from '../token-mint.js';
import { UpstreamRegistrations } from '../upstream/upstream-registrations.js';
import { Upstreams } from '../upstream/upstreams.js';

/** A purchase that arrives, with the act that brought it. */
export interface ArrivingPurchase {
  readonly purchase: Purchase;
  readonly correlationId?: string;
  /** Whether a refusal for this reason ends the purchase as rejected; else nothing is written, and the caller says no. */
  readonly rejects: (code: RejectionCode) => boolean;
}

/** What purchases are accepted with. */
export interface AcceptingOptions {
  readonly signer: TokenSigner;
  readonly knowledge: CookieKnowledge;
  /** How long after its cookie's expiry a purchase may still wait for a binding, in milliseconds. */
  readonly graceMs: number;
}

/** Takes purchases in: the half of the join that begins with the purchase. */
@Injectable()
export class AcceptPurchases {
  constructor(
    private readonly tokens: TokensForPurchases,
    private readonly upstreams: Upstreams,
    private readonly registrations: UpstreamRegistrations,
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
  ) {}

  /**
   * Judges each purchase under the locks of its join and its device, and writes those that wait, are issued or are
   * rejected, in as many statements for two hundred as for one. Each that is written is passed on to whoever tells
   * merchants, once, however it came. Answers what became of each, in their order.
   *
   * No two of `arrivals` may have the same purchase id.
   */
  async accept(tx: Tx, arrivals: readonly ArrivingPurchase[], options: AcceptingOptions): Promise<Arrival[]> {
    const { signer, knowledge, graceMs } = options;
    const purchases = arrivals.map(({ purchase }) => withNormalDeviceId(purchase));
    const held = await holdCookies(tx, knowledge, this.configuration.refusedConfidences);
    const existing = await findPurchases(tx, purchases);
    const keys = await findContentKeys(tx, purchases);
    const outcomes = purchases.map((purchase) =>
      decideArrival(purchase, {
        existing: existing.get(purchaseKey(purchase)),
        cookie: held.of(purchase),
        kidsKnown: purchase.kids.every((kid) => keys.has(contentKeyKey(purchase.merchantId, kid))),
        upstream: this.upstreams.of(purchase.merchantId) !== undefined,
        now: held.now,
        graceMs,
      }),
    );

    const written: NewPurchase[] = [];
    const late: LatePurchase[] = [];
    const toIssue = purchases.flatMap((terms, index) => {
      const outcome = outcomes[index]!;
      return outcome.kind === 'issue' ? [{ terms, device: outcome.device, correlationId: arrivals[index]!.correlationId }] : [];
    });
    const tokens = await this.tokens.prepare(tx, toIssue, { signer, keys, now: held.now });
    for (const [index, { correlationId, rejects }] of arrivals.entries()) {
      const purchase = purchases[index]!;
      const outcome = outcomes[index]!;
      const taken = outcome.kind === 'wait' || outcome.kind === 'issue' || (outcome.kind === 'refuse' && rejects(outcome.code));
      if (taken) tx.append(PurchaseCompleted, { ...purchase, kids: [...purchase.kids] }, correlationId);
      if (outcome.kind === 'refunded-before') late.push({ purchase, correlationId });
      if (outcome.kind === 'wait') {
        written.push({ terms: purchase, state: 'awaiting-device', cookieExpiresAt: held.of(purchase).expiresAt });
      } else if (outcome.kind === 'issue') {
        const token = tokens.of(purchase);
        // Until its token is there it waits, as far as anybody outside can tell.
        if (!token) outcomes[index] = { kind: 'wait' };
        written.push(token ? { terms: purchase, ...endOf(token) } : { terms: purchase, state: 'awaiting-device' });
        if (token) appendIssued(tx, token.issued, correlationId);
      } else if (outcome.kind === 'refuse' && taken) {
        written.push({ terms: purchase, state: 'rejected', code: outcome.code });
        appendRejected(tx, purchase, outcome.code, correlationId);
      }
    }
    await insertPurchases(tx, written);
    await tokens.write();
    await closeRefundedSales(tx, late);
    await this.registrations.hasten(tx, written.filter(({ state }) => state === 'awaiting-device').map(({ terms }) => terms));
    return outcomes;
  }
}

/** Checkouts write a device id as their device does, and bindings have the one spelling: compared as it came it would be a mismatch. */
function withNormalDeviceId(purchase: Purchase): Purchase {
  return purchase.deviceId === undefined ? purchase : { ...purchase, deviceId: normaliseDeviceId(purchase.deviceId) };
}

/** Says that a purchase ended without a token, and why. */
export function appendRejected(tx: Tx, { merchantId, purchaseId }: Purchase, code: RejectionCode, correlationId?: string): void {
  tx.append(PurchaseRejected, { merchantId, purchaseId, code, detail: errorCodes[code].title }, correlationId);
}

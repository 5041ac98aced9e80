import { Problem } from '@latchkey/contracts';
import type { TokenSigner } from '@latchkey/crypto';
import { Outbox, type Tx } from '@latchkey/outbox';
import { CONFIGURATION, Logger } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import { appendRejected } from '../accept-purchase/accept-purchases.js';
import type { TokenIssuerConfiguration } from '../config.js';
import { findContentKeys } from '../content-key-store.js';
import { CookieAuthorities, type CookieKnowledge } from '../cookie-authorities.js';
import { cookieKey } from '../cookie-join-store.js';
import { endOf, TokensForPurchases } from '../correlated-token/tokens-for-purchases.js';
import { type HeldCookies, holdCookies } from '../held-cookies.js';
import { IssuerMetrics } from '../issuer-metrics.js';
import { decideWaiting, type RejectionCode, type StoredPurchase } from '../purchase.js';
import { type EndOfWaiting, endWaiting, findPurchases, findWaiting, purchaseKey, type PurchaseRef } from '../purchase-store.js';
import { Reader } from '../rows.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { appendIssued } from '../token-mint.js';
import { UpstreamRegistrations } from '../upstream/upstream-registrations.js';

/** What settling has done, to be counted after the commit. */
export interface Settlement {
  readonly held: HeldCookies;
  readonly ends: readonly EndOfWaiting[];
}

/** Ends the waiting of purchases: the half of the join that begins with the device, or with the end of the cookie's time. */
@Injectable()
export class SettleWaiting {
  constructor(
    private readonly reader: Reader,
    private readonly outbox: Outbox,
    private readonly authorities: CookieAuthorities,
    private readonly signingKeys: SigningKeys,
    private readonly tokens: TokensForPurchases,
    private readonly registrations: UpstreamRegistrations,
    private readonly metrics: IssuerMetrics,
    private readonly logger: Logger,
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
  ) {}

  /** Judges every purchase that waits for one of the knowledge's cookies, under the locks of joins and devices. */
  async settle(
    tx: Tx,
    knowledge: CookieKnowledge,
    signer: TokenSigner,
    correlations: ReadonlyMap<string, string | undefined> = new Map(),
  ): Promise<Settlement> {
    const held = await holdCookies(tx, knowledge, this.configuration.refusedConfidences);
    const waiting = await findWaiting(tx, [...held.joins.values()]);
    // A purchase waits only where its keys are known, and keys are never removed.
    const keys = await findContentKeys(tx, waiting.map(({ terms }) => terms));
    const judged = waiting.map((purchase) => ({ ...purchase, outcome: decideWaiting(purchase.terms, held.of(purchase.terms), held.now) }));
    const toIssue = judged.flatMap(({ terms, outcome }) => (outcome.kind === 'issue' ? [{ terms, device: outcome.device, correlationId: correlations.get(cookieKey(terms)) }] : []));
    const tokens = await this.tokens.prepare(tx, toIssue, { signer, keys, now: held.now });
    const ends: EndOfWaiting[] = [];
    for (const { merchantId, purchaseId, terms, outcome } of judged) {
      const correlationId = correlations.get(cookieKey(terms));
      if (outcome.kind === 'refuse') {
        ends.push({ merchantId, purchaseId, state: 'rejected', code: outcome.code });
        appendRejected(tx, terms, outcome.code, correlationId);
      }
      const token = outcome.kind === 'issue' ? tokens.of(terms) : undefined;
      if (token) {
        ends.push({ merchantId, purchaseId, ...endOf(token) });
        appendIssued(tx, token.issued, correlationId);
      }
    }
    await endWaiting(tx, ends);
    await tokens.write();
    return { held, ends };
  }

  /** The same in a transaction of its own, for what is no event. */
  async settleNow(knowledge: CookieKnowledge): Promise<void> {
    const signer = await this.signingKeys.signer();
    const { ends } = await this.outbox.transaction((tx) => this.settle(tx, knowledge, signer));
    this.report(ends);
  }

  /** Counts and logs what has been committed. */
  report(ends: readonly EndOfWaiting[]): void {
    this.metrics.purchasesEnded(ends.map((end) => end.code ?? end.state));
    this.metrics.tokensIssued('purchase', ends.filter((end) => end.state === 'issued').length);
    for (const { merchantId, purchaseId, code } of ends.filter((end): end is EndOfWaiting & { code: RejectionCode } => end.code !== undefined)) {
      this.logger.info('a purchase was rejected', { merchantId, purchaseId, code });
    }
  }

  /**
   * A purchase as it stands, for somebody who asks. Where it waits, the registry is asked for a device that was not heard
   * of yet: whoever saw the registration succeed must find the purchase issued.
   */
  async findSettled(ref: PurchaseRef): Promise<StoredPurchase | undefined> {
    const find = async (): Promise<StoredPurchase | undefined> => (await findPurchases(this.reader, [ref])).get(purchaseKey(ref));
    const purchase = await find();
    if (purchase?.state !== 'awaiting-device' || !purchase.terms) return purchase;
    try {
      const knowledge = await this.authorities.learnBindings([purchase.terms]);
      if (!knowledge.facts.some((fact) => fact.device)) {
        await this.registrations.hasten(this.reader, [purchase.terms]);
        return purchase;
      }
      await this.settleNow(knowledge);
    } catch (error) {
      // Without the registry the last known state is the answer: the purchase does wait, as far as anybody here knows.
      if (!(error instanceof Problem) || error.code !== 'unavailable') throw error;
      return purchase;
    }
    return find();
  }
}

import { type Heard, PurchaseCompleted } from '@latchkey/contracts';
import { type Delivery, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { CONFIGURATION, Logger } from '@latchkey/service-defaults';
import { Controller, Inject } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { TokenIssuerConfiguration } from '../config.js';
import { CookieAuthorities } from '../cookie-authorities.js';
import { cookieKey } from '../cookie-join-store.js';
import { IssuerMetrics } from '../issuer-metrics.js';
import { type Arrival, EXPIRY_GRACE_MS, mayBecomeKnown, type RejectionCode } from '../purchase.js';
import { purchaseKey } from '../purchase-store.js';
import { noSigningKey, SigningKeys } from '../signing-keys/signing-keys.js';
import type { purchaseCompleted } from '../subscriptions.js';
import { type AcceptingOptions, AcceptPurchases } from './accept-purchases.js';

/** The verdict of a purchase about whose cookie nobody could be asked: not known is not unknown. */
const noAnswer: Verdict = { kind: 'wait', reason: 'the owner of the cookie does not answer' };

type PurchaseDelivery = Delivery<Heard<typeof purchaseCompleted>>;

/** Purchases that checkouts publish. */
@Controller()
export class PurchaseCompletedController {
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly outbox: Outbox,
    private readonly authorities: CookieAuthorities,
    private readonly signingKeys: SigningKeys,
    private readonly purchases: AcceptPurchases,
    private readonly metrics: IssuerMetrics,
    private readonly logger: Logger,
  ) {}

  @EventPattern<string>(PurchaseCompleted.type)
  async on(@Payload() batch: readonly PurchaseDelivery[]): Promise<readonly Verdict[]> {
    const knowledge = await this.authorities.learnMissing(batch.map(({ event }) => event.data));
    const signer = await this.signingKeys.signerIfAny();
    if (!signer) return batch.map(() => noSigningKey);
    const answered = batch.filter(({ event }) => !knowledge.unanswered.has(cookieKey(event.data)));
    const verdicts = await this.acceptBatch(answered, { signer, knowledge, graceMs: EXPIRY_GRACE_MS });
    const verdictOf = new Map(answered.map((delivery, index) => [delivery, verdicts[index]!]));
    return batch.map((delivery) => verdictOf.get(delivery) ?? noAnswer);
  }

  private async acceptBatch(batch: readonly PurchaseDelivery[], options: AcceptingOptions): Promise<readonly Verdict[]> {
    let outcomes = new Map<PurchaseDelivery, Arrival>();
    const verdicts = await handleOnce(this.outbox, batch, async (tx, fresh) => {
      outcomes = new Map();
      for (const round of roundsOfDifferentPurchases(fresh)) {
        const arrivals = round.map((delivery) => ({
          purchase: delivery.event.data,
          correlationId: delivery.event.correlationid,
          rejects: (code: RejectionCode) => this.rejects(delivery, code),
        }));
        const results = await this.purchases.accept(tx, arrivals, options);
        for (const [index, delivery] of round.entries()) outcomes.set(delivery, results[index]!);
      }
      return new Map([...outcomes].flatMap(([delivery, outcome]) => this.exception(delivery, outcome)));
    });
    this.report(outcomes);
    return verdicts;
  }

  /** What may become known is waited for first: a few attempts of the retry ladder. */
  private rejects({ attempt }: PurchaseDelivery, code: RejectionCode): boolean {
    return !mayBecomeKnown(code) || attempt >= this.configuration.unknownAttempts;
  }

  private exception(delivery: PurchaseDelivery, outcome: Arrival): [PurchaseDelivery, Verdict][] {
    if (outcome.kind === 'differs') return [[delivery, { kind: 'quarantine', reason: 'the purchase exists with other content (purchase-differs)' }]];
    if (outcome.kind !== 'refuse' || this.rejects(delivery, outcome.code)) return [];
    return [[delivery, { kind: 'retry', reason: `not known yet: ${outcome.code}` }]];
  }

  private report(outcomes: ReadonlyMap<PurchaseDelivery, Arrival>): void {
    for (const [delivery, outcome] of outcomes) {
      const { merchantId, purchaseId } = delivery.event.data;
      if (outcome.kind === 'refuse' && this.rejects(delivery, outcome.code)) {
        this.metrics.purchasesEnded([outcome.code]);
        this.logger.info('a purchase was rejected', { merchantId, purchaseId, code: outcome.code });
      }
      if (outcome.kind === 'differs') this.logger.warn('a purchase came again with other content', { merchantId, purchaseId });
      if (outcome.kind === 'issue') this.metrics.purchasesEnded(['issued']);
    }
    this.metrics.tokensIssued('purchase', [...outcomes.values()].filter(({ kind }) => kind === 'issue').length);
  }
}

/** Twins of one purchase go into rounds of their own: the second must find what the first has written. */
function roundsOfDifferentPurchases(deliveries: readonly PurchaseDelivery[]): PurchaseDelivery[][] {
  const rounds: PurchaseDelivery[][] = [];
  const seen = new Map<string, number>();
  for (const delivery of deliveries) {
    const key = purchaseKey(delivery.event.data);
    const round = seen.get(key) ?? 0;
    seen.set(key, round + 1);
    (rounds[round] ??= []).push(delivery);
  }
  return rounds;
}

import { Problem, type PurchaseView, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { CookieAuthorities } from '../cookie-authorities.js';
import { IssuerMetrics } from '../issuer-metrics.js';
import { type Arrival, viewOf } from '../purchase.js';
import { findPurchases, purchaseKey } from '../purchase-store.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { AcceptPurchases } from './accept-purchases.js';

/** Purchases that come over HTTP: the same as an event, but the caller hears a refusal at once, and nothing is written. */
@Controller()
export class AcceptPurchaseController {
  constructor(
    private readonly outbox: Outbox,
    private readonly authorities: CookieAuthorities,
    private readonly signingKeys: SigningKeys,
    private readonly purchases: AcceptPurchases,
    private readonly metrics: IssuerMetrics,
  ) {}

  @MessagePattern<string>(requests.acceptPurchase.name)
  async accept(@Payload() payload: unknown): Promise<PurchaseView> {
    const purchase = readRequest(requests.acceptPurchase, payload);
    const knowledge = await this.authorities.learnNow(purchase);
    const signer = await this.signingKeys.signer();
    const { outcome, stored } = await this.outbox.transaction(async (tx) => {
      const [outcome] = await this.purchases.accept(tx, [{ purchase, rejects: () => false }], { signer, knowledge, graceMs: 0 });
      // Thrown inside the transaction: a purchase that is refused to its caller changes nothing at all.
      refuse(outcome!);
      return { outcome: outcome!, stored: (await findPurchases(tx, [purchase])).get(purchaseKey(purchase))! };
    });
    if (outcome.kind === 'issue') {
      this.metrics.tokensIssued('purchase', 1);
      this.metrics.purchasesEnded(['issued']);
    }
    return viewOf(stored);
  }
}

function refuse(outcome: Arrival): void {
  // An unknown cookie is the one thing that does not exist at all; the rest are conflicts.
  if (outcome.kind === 'refuse') throw new Problem(outcome.code, { status: outcome.code === 'cookie-unknown' ? 404 : 409 });
  if (outcome.kind === 'differs') throw new Problem('purchase-differs');
  if (outcome.kind === 'refunded-before') throw new Problem('purchase-refunded');
}

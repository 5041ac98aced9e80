import { type Heard, PurchaseRefunded } from '@latchkey/contracts';
import { type Delivery, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { IssuerMetrics } from '../issuer-metrics.js';
import type { purchaseRefunded } from '../subscriptions.js';
import { refundPurchases } from './refund-purchases.js';

/** Refunds that checkouts publish. */
@Controller()
export class PurchaseRefundedController {
  constructor(
    private readonly outbox: Outbox,
    private readonly metrics: IssuerMetrics,
  ) {}

  @EventPattern<string>(PurchaseRefunded.type)
  async on(@Payload() batch: readonly Delivery<Heard<typeof purchaseRefunded>>[]): Promise<readonly Verdict[]> {
    let ended = 0;
    const verdicts = await handleOnce(this.outbox, batch, async (tx, fresh) => {
      const refunds = fresh.map(({ event }) => ({ ...event.data, correlationId: event.correlationid }));
      ended = await refundPurchases(tx, refunds);
      return new Map();
    });
    this.metrics.purchasesEnded(new Array<string>(ended).fill('refunded'));
    return verdicts;
  }
}

import { Problem, type PurchaseView, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { Logger } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { IssuerMetrics } from '../issuer-metrics.js';
import { viewOf } from '../purchase.js';
import { findPurchases, purchaseKey } from '../purchase-store.js';
import { refundPurchases } from './refund-purchases.js';

/** Refunds that come over HTTP. Unlike an event, which may overtake its purchase, one of an unknown purchase is refused. */
@Controller()
export class RefundPurchaseController {
  constructor(
    private readonly outbox: Outbox,
    private readonly metrics: IssuerMetrics,
    private readonly logger: Logger,
  ) {}

  @MessagePattern<string>(requests.refundPurchase.name)
  async refund(@Payload() payload: unknown): Promise<PurchaseView> {
    const { merchantId, purchaseId, reason } = readRequest(requests.refundPurchase, payload);
    const ref = { merchantId, purchaseId };
    const { purchase, ended } = await this.outbox.transaction(async (tx) => {
      const find = async () => (await findPurchases(tx, [ref])).get(purchaseKey(ref));
      if (!(await find())) throw new Problem('purchase-unknown');
      const ended = await refundPurchases(tx, [{ ...ref, reason, refundedAt: new Date().toISOString() }]);
      return { purchase: (await find())!, ended };
    });
    this.metrics.purchasesEnded(new Array<string>(ended).fill('refunded'));
    if (ended > 0) this.logger.info('a purchase was refunded', { merchantId, purchaseId });
    return viewOf(purchase);
  }
}

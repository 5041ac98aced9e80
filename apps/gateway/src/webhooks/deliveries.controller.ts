import { type DeliveriesView, type DeliveryView, type OperationInput, operations, Problem } from '@latchkey/contracts';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import type { Caller } from '../api-keys/authenticate.js';
import { CalledBy } from '../api-keys/caller.js';
import { deliveryViewOf } from './delivery.js';
import { DeliverySender } from './delivery-sender.js';
import { DeliveryStore } from './delivery-store.js';
import { WebhookStore } from './webhook-store.js';

const PAGE_DEFAULT = 50;

/** What was, or will be, sent to a merchant's webhooks. */
@Controller()
export class DeliveriesController {
  constructor(
    private readonly webhooks: WebhookStore,
    private readonly deliveries: DeliveryStore,
    private readonly sender: DeliverySender,
  ) {}

  @Operation(operations.listDeliveries)
  async list(@CalledBy() caller: Caller, @Input() { params, query }: OperationInput<typeof operations.listDeliveries>): Promise<DeliveriesView> {
    await this.refuseUnknown(caller, params.webhookId);
    const limit = Number(query.limit ?? PAGE_DEFAULT);
    const before = query.before === undefined ? undefined : Number(query.before);
    // One more than is shown tells whether there are more.
    const found = await this.deliveries.ofWebhook(params.webhookId, { state: query.state, before, limit: limit + 1 });
    return { deliveries: found.slice(0, limit).map(deliveryViewOf), more: found.length > limit };
  }

  @Operation(operations.redeliver)
  async redeliver(@CalledBy() caller: Caller, @Input() { params }: OperationInput<typeof operations.redeliver>): Promise<DeliveryView> {
    await this.refuseUnknown(caller, params.webhookId);
    const delivery = await this.deliveries.askFor(params.webhookId, params.deliveryId);
    if (!delivery) throw new Problem('delivery-unknown');
    this.sender.wake();
    return deliveryViewOf(delivery);
  }

  private async refuseUnknown({ merchantId }: Caller, webhookId: string): Promise<void> {
    if (!(await this.webhooks.find(merchantId, webhookId))) throw new Problem('webhook-unknown');
  }
}

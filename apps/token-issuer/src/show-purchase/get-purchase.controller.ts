import { Problem, type PurchaseView, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { viewOf } from '../purchase.js';
import { SettleWaiting } from '../register-device/settle-waiting.js';

@Controller()
export class GetPurchaseController {
  constructor(private readonly waiting: SettleWaiting) {}

  @MessagePattern<string>(requests.getPurchase.name)
  async get(@Payload() payload: unknown): Promise<PurchaseView> {
    const purchase = await this.waiting.findSettled(readRequest(requests.getPurchase, payload));
    if (!purchase) throw new Problem('purchase-unknown');
    return viewOf(purchase);
  }
}

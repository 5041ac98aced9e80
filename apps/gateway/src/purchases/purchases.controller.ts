import { type OperationInput, operations, type PurchaseView, requests, type RequestOutput } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';
import { PurchaseTokens } from './purchase-tokens.js';

/** Purchases over HTTP, and their tokens; the token issuer keeps both. */
@Controller()
export class PurchasesController {
  constructor(
    private readonly requests: Requests,
    private readonly tokens: PurchaseTokens,
  ) {}

  @Operation(operations.createPurchase)
  async create(@CalledBy() { merchantId }: Caller, @Input() { body }: OperationInput<typeof operations.createPurchase>): Promise<PurchaseView> {
    return this.requests.ask(requests.acceptPurchase, { merchantId, ...body, completedAt: body.completedAt ?? new Date().toISOString() });
  }

  @Operation(operations.showPurchase)
  async show(@CalledBy() { merchantId }: Caller, @Input() { params }: OperationInput<typeof operations.showPurchase>): Promise<PurchaseView> {
    return this.requests.ask(requests.getPurchase, { merchantId, purchaseId: params.purchaseId });
  }

  @Operation(operations.showPurchaseToken)
  async showToken(
    @CalledBy() { merchantId }: Caller,
    @Input() { params, query }: OperationInput<typeof operations.showPurchaseToken>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RequestOutput<typeof requests.getPurchaseToken>> {
    const hangUp = new AbortController();
    if (reply.raw.destroyed) hangUp.abort();
    else reply.raw.once('close', () => hangUp.abort());
    return this.tokens.collect({ merchantId, purchaseId: params.purchaseId, waitMs: Number(query.waitSeconds ?? 0) * 1000, hungUp: hangUp.signal });
  }

  @Operation(operations.createRefund)
  async refund(@CalledBy() { merchantId }: Caller, @Input() { params, body }: OperationInput<typeof operations.createRefund>): Promise<PurchaseView> {
    return this.requests.ask(requests.refundPurchase, { merchantId, purchaseId: params.purchaseId, ...body });
  }
}

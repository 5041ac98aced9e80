import { type NewWebhookView, type OperationInput, operations, Problem, type RotatedSecretView, type WebhookView } from '@latchkey/contracts';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import type { Caller } from '../api-keys/authenticate.js';
import { CalledBy } from '../api-keys/caller.js';
import { CreateWebhook } from './create-webhook.js';
import { viewOf } from './webhook.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookStore } from './webhook-store.js';

/** So long a receiver has to take up a new secret. */
const SECRETS_OVERLAP_SECONDS = 24 * 3600;

/** A merchant's webhooks. */
@Controller()
export class WebhooksController {
  constructor(
    private readonly createWebhook: CreateWebhook,
    private readonly store: WebhookStore,
    private readonly secrets: WebhookSecrets,
  ) {}

  @Operation(operations.createWebhook)
  async create(@CalledBy() { merchantId }: Caller, @Input() { body }: OperationInput<typeof operations.createWebhook>): Promise<NewWebhookView> {
    return this.createWebhook.create({ merchantId, url: body.url, eventTypes: body.eventTypes, description: body.description });
  }

  @Operation(operations.listWebhooks)
  async list(@CalledBy() { merchantId }: Caller, @Input() _: OperationInput<typeof operations.listWebhooks>): Promise<{ webhooks: WebhookView[] }> {
    return { webhooks: (await this.store.ofMerchant(merchantId)).map((webhook) => viewOf(webhook, Date.now())) };
  }

  @Operation(operations.showWebhook)
  async show(@CalledBy() { merchantId }: Caller, @Input() { params }: OperationInput<typeof operations.showWebhook>): Promise<WebhookView> {
    const webhook = await this.store.find(merchantId, params.webhookId);
    if (!webhook) throw new Problem('webhook-unknown');
    return viewOf(webhook, Date.now());
  }

  @Operation(operations.deleteWebhook)
  async remove(@CalledBy() { merchantId }: Caller, @Input() { params }: OperationInput<typeof operations.deleteWebhook>): Promise<void> {
    if (!(await this.store.remove(merchantId, params.webhookId))) throw new Problem('webhook-unknown');
  }

  @Operation(operations.rotateWebhookSecret)
  async rotateSecret(@CalledBy() { merchantId }: Caller, @Input() { params }: OperationInput<typeof operations.rotateWebhookSecret>): Promise<RotatedSecretView> {
    const { webhookId } = params;
    const { secret, wrapped } = this.secrets.make(webhookId);
    const webhook = await this.store.replaceSecret(merchantId, webhookId, wrapped, SECRETS_OVERLAP_SECONDS);
    if (!webhook) throw new Problem('webhook-unknown');
    return { webhookId, secret, previousSecretUntil: webhook.previousSecretUntil!.toISOString() };
  }
}

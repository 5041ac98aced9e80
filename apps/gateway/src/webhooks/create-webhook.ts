import { type NewWebhookView, Problem } from '@latchkey/contracts';
import { newId } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import { ApiKeyStore } from '../api-keys/api-key-store.js';
import type { GatewayConfiguration } from '../config.js';
import { urlRefusal } from './url-rules.js';
import { viewOf } from './webhook.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { type NewWebhook, WebhookStore } from './webhook-store.js';

/** Each event is kept once for each of them. */
const WEBHOOKS_OF_MERCHANT_MAX = 16;

/** Makes webhooks. */
@Injectable()
export class CreateWebhook {
  constructor(
    private readonly store: WebhookStore,
    private readonly merchants: ApiKeyStore,
    private readonly secrets: WebhookSecrets,
    @Inject(CONFIGURATION) private readonly configuration: GatewayConfiguration,
  ) {}

  /** Throws `invalid-request` for a URL that may not be gone to, `webhook-limit-reached`, and `webhooks-off`. */
  async create(asked: Pick<NewWebhook, 'merchantId' | 'url' | 'eventTypes' | 'description'>): Promise<NewWebhookView> {
    const refusal = urlRefusal(new URL(asked.url), this.configuration.webhookReach);
    if (refusal !== undefined) throw new Problem('invalid-request', { errors: [{ path: '/url', message: refusal }] });
    const webhookId = newId('wh');
    const { secret, wrapped } = this.secrets.make(webhookId);
    const webhook = await this.store.transaction(async (tx) => {
      // Of two calls at once one waits here, and then counts the other's webhook.
      await this.merchants.lockMerchant(tx, asked.merchantId);
      if ((await this.store.count(tx, asked.merchantId)) >= WEBHOOKS_OF_MERCHANT_MAX) {
        throw new Problem('webhook-limit-reached', { detail: `a merchant has ${WEBHOOKS_OF_MERCHANT_MAX} webhooks at most` });
      }
      return this.store.insert(tx, { ...asked, webhookId, wrappedSecret: wrapped });
    });
    return { ...viewOf(webhook, Date.now()), secret };
  }
}

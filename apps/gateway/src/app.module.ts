import { Module } from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR } from '@nestjs/core';
import { ApiKeyGate } from './api-keys/api-key-gate.js';
import { ApiKeyGuard } from './api-keys/api-key.guard.js';
import { ApiKeyStore } from './api-keys/api-key-store.js';
import { BootstrapKey } from './api-keys/bootstrap-key.js';
import { ContentKeysController } from './content-keys/content-keys.controller.js';
import { CookiesController } from './cookies/cookies.controller.js';
import { DevicesController } from './devices/devices.controller.js';
import { EntitlementController } from './expressplay/entitlement.controller.js';
import { ExpressPlayCalls } from './expressplay/expressplay-calls.js';
import { ExpressPlayGate } from './expressplay/expressplay-gate.js';
import { KeyStoreController } from './expressplay/key-store.controller.js';
import { RecordsController } from './expressplay/records.controller.js';
import { RedemptionController } from './expressplay/redemption.controller.js';
import { ExpressPlayTokensController } from './expressplay/tokens.controller.js';
import { FailedLookups } from './failed-lookups/failed-lookups.js';
import { EventStreams } from './feed/event-streams.js';
import { FeedController } from './feed/feed.controller.js';
import { FeedSequencer } from './feed/feed-sequencer.js';
import { FeedStore } from './feed/feed-store.js';
import { FeedTail } from './feed/feed-tail.js';
import { JwksController } from './jwks/jwks.controller.js';
import { LicensesController } from './licenses/licenses.controller.js';
import { MerchantCallInterceptor } from './merchant-call.interceptor.js';
import { MerchantController } from './merchant/merchant.controller.js';
import { PurchaseTokens } from './purchases/purchase-tokens.js';
import { PurchasesController } from './purchases/purchases.controller.js';
import { TokensController } from './tokens/tokens.controller.js';
import { CreateWebhook } from './webhooks/create-webhook.js';
import { DeliveriesController } from './webhooks/deliveries.controller.js';
import { DeliveryQueue } from './webhooks/delivery-queue.js';
import { DeliverySender } from './webhooks/delivery-sender.js';
import { DeliveryStore } from './webhooks/delivery-store.js';
import { WebhookHousekeeping } from './webhooks/webhook-housekeeping.js';
import { WebhookMetrics } from './webhooks/webhook-metrics.js';
import { WebhookSecrets } from './webhooks/webhook-secrets.js';
import { WebhookStore } from './webhooks/webhook-store.js';
import { WebhooksController } from './webhooks/webhooks.controller.js';

@Module({
  controllers: [
    CookiesController,
    DevicesController,
    ContentKeysController,
    PurchasesController,
    TokensController,
    LicensesController,
    MerchantController,
    FeedController,
    JwksController,
    WebhooksController,
    DeliveriesController,
    ExpressPlayTokensController,
    RedemptionController,
    RecordsController,
    KeyStoreController,
    EntitlementController,
  ],
  providers: [
    ApiKeyStore,
    ApiKeyGate,
    BootstrapKey,
    FailedLookups,
    ExpressPlayCalls,
    ExpressPlayGate,
    PurchaseTokens,
    FeedStore,
    FeedSequencer,
    FeedTail,
    EventStreams,
    CreateWebhook,
    WebhookStore,
    WebhookSecrets,
    WebhookMetrics,
    WebhookHousekeeping,
    DeliveryStore,
    DeliveryQueue,
    DeliverySender,
    { provide: APP_GUARD, useClass: ApiKeyGuard },
    { provide: APP_INTERCEPTOR, useClass: MerchantCallInterceptor },
  ],
})
export class AppModule {}

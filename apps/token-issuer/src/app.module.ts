import { Module } from '@nestjs/common';
import { AcceptPurchaseController } from './accept-purchase/accept-purchase.controller.js';
import { AcceptPurchases } from './accept-purchase/accept-purchases.js';
import { PurchaseCompletedController } from './accept-purchase/purchase-completed.controller.js';
import { CookieAuthorities } from './cookie-authorities.js';
import { CorrelatedTokenController } from './correlated-token/correlated-token.controller.js';
import { GetContentToken } from './correlated-token/get-content-token.js';
import { IssueCorrelatedToken } from './correlated-token/issue-correlated-token.js';
import { TokensForPurchases } from './correlated-token/tokens-for-purchases.js';
import { ListDeviceTokens } from './device-tokens/list-device-tokens.js';
import { ListDeviceTokensController } from './device-tokens/list-device-tokens.controller.js';
import { ExpireCookies } from './expire-cookies/expire-cookies.js';
import { ForgetEndedTokens } from './forget-tokens/forget-ended-tokens.js';
import { IssueRegistrationTokenController } from './issue-registration-token/issue-registration-token.controller.js';
import { ForgetTokenRequests } from './issue-token/forget-token-requests.js';
import { IssueToken } from './issue-token/issue-token.js';
import { IssueTokenController } from './issue-token/issue-token.controller.js';
import { IssuerMetrics } from './issuer-metrics.js';
import { ForgetStoredKeys } from './key-store/forget-stored-keys.js';
import { KeyStoreController } from './key-store/key-store.controller.js';
import { GetPurchaseToken } from './purchase-token/get-purchase-token.js';
import { GetPurchaseTokenController } from './purchase-token/get-purchase-token.controller.js';
import { PutContentKeyController } from './put-content-key/put-content-key.controller.js';
import { PurchaseRefundedController } from './refund-purchase/purchase-refunded.controller.js';
import { RefundPurchaseController } from './refund-purchase/refund-purchase.controller.js';
import { DeviceRegisteredController } from './register-device/device-registered.controller.js';
import { SettleWaiting } from './register-device/settle-waiting.js';
import { DeviceRevokedController } from './revoke-device/device-revoked.controller.js';
import { Reader } from './rows.js';
import { GetPurchaseController } from './show-purchase/get-purchase.controller.js';
import { GetJwksController } from './signing-keys/get-jwks.controller.js';
import { SigningKeys } from './signing-keys/signing-keys.js';
import { TokenMint } from './token-mint.js';
import { FulfilOrders } from './upstream/fulfil-orders.js';
import { AskRecords } from './upstream/ask-records.js';
import { RegisterUpstream } from './upstream/register-upstream.js';
import { RenewUpstream } from './upstream/renew-upstream.js';
import { UpstreamOrders } from './upstream/upstream-orders.js';
import { UpstreamRegistrations } from './upstream/upstream-registrations.js';
import { UpstreamTokens } from './upstream/upstream-tokens.js';
import { Upstreams } from './upstream/upstreams.js';

@Module({
  controllers: [
    PurchaseCompletedController,
    PurchaseRefundedController,
    DeviceRegisteredController,
    DeviceRevokedController,
    IssueRegistrationTokenController,
    PutContentKeyController,
    AcceptPurchaseController,
    GetPurchaseController,
    GetPurchaseTokenController,
    ListDeviceTokensController,
    RefundPurchaseController,
    IssueTokenController,
    CorrelatedTokenController,
    KeyStoreController,
    GetJwksController,
  ],
  providers: [
    Reader,
    IssuerMetrics,
    CookieAuthorities,
    SigningKeys,
    TokenMint,
    TokensForPurchases,
    Upstreams,
    UpstreamOrders,
    UpstreamTokens,
    UpstreamRegistrations,
    RegisterUpstream,
    RenewUpstream,
    FulfilOrders,
    AskRecords,
    AcceptPurchases,
    SettleWaiting,
    GetPurchaseToken,
    ListDeviceTokens,
    IssueToken,
    IssueCorrelatedToken,
    GetContentToken,
    ExpireCookies,
    ForgetTokenRequests,
    ForgetEndedTokens,
    ForgetStoredKeys,
  ],
})
export class AppModule {}

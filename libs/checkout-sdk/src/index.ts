export { connectCheckout, type CheckoutClient, type PublishOptions } from './checkout-client.js';
export { CheckoutError, type CheckoutErrorCode, type CheckoutProblem } from './checkout-error.js';
export type { CheckoutOptions } from './checkout-options.js';
export type { ConnectionState } from './connection-state.js';
export type { PublishAnswer, PublishOutcome } from './publish-answer.js';
export type { CompletedPurchase, RefundedPurchase } from './purchases.js';

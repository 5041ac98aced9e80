export { connectCheckout, type CheckoutClient, type CheckoutOptions, type ConnectionState, type PublishOptions } from './checkout-client.js';
export { CheckoutError, type CheckoutErrorCode, type CheckoutProblem } from './checkout-error.js';
export type { PublishAnswer, PublishOutcome } from './publish-answer.js';
export type { CompletedPurchase, RefundedPurchase } from './purchases.js';

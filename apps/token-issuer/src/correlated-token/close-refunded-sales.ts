import type { Tx } from '@latchkey/outbox';
import type { Purchase } from '../purchase.js';
import { purchaseKey } from '../purchase-store.js';
import { appendRevoked } from '../token-mint.js';
import { revokeTokens } from '../token-store.js';
import { findCorrelatedTokens, forgetCorrelatedTokens } from './correlated-token-store.js';
import { insertLatePurchases } from './purchase-of-sale-store.js';
import { saleKey, saleOf } from './sale.js';

/** A purchase that came after its refund, with the act that brought it. */
export interface LatePurchase {
  readonly purchase: Purchase;
  readonly correlationId?: string;
}

/**
 * Ends the sales of purchases that came after their refund. The refund did not say which sale it was of, so that a token
 * which was asked for without a purchase would outlive it; nor could it be asked for again and refused.
 */
export async function closeRefundedSales(tx: Tx, arrivals: readonly LatePurchase[]): Promise<void> {
  if (arrivals.length === 0) return;
  const first = await insertLatePurchases(tx, arrivals.map(({ purchase }) => purchase));
  const closed = arrivals.filter(({ purchase }) => first.has(purchaseKey(purchase))).flatMap(({ purchase, correlationId }) => {
    const sale = saleOf(purchase);
    return sale ? [{ sale, correlationId }] : [];
  });
  const correlations = new Map(closed.map(({ sale, correlationId }) => [saleKey(sale), correlationId]));
  const correlated = await findCorrelatedTokens(tx, closed.map(({ sale }) => sale));
  const acts = new Map(correlated.map((one) => [one.tokenId, correlations.get(saleKey(one))]));
  for (const stopped of await revokeTokens(tx, correlated)) appendRevoked(tx, stopped, 'refunded', acts.get(stopped.tokenId));
  await forgetCorrelatedTokens(tx, correlated);
}

import { PurchaseRefunded } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { lockJoins } from '../cookie-join-store.js';
import { decideRefund } from '../purchase.js';
import { findPurchases, insertTombstones, purchaseKey, type Refund, setRefunded } from '../purchase-store.js';
import { LostRace } from '../rows.js';
import { appendRevoked } from '../token-mint.js';
import { revokeTokensOfPurchases } from '../token-store.js';

/** A refund, with the act that brought it. */
export interface ArrivingRefund extends Refund {
  readonly correlationId?: string;
}

/**
 * Ends purchases as refunded and revokes their tokens. A purchase that has not come yet gets a tombstone, which wins when
 * it does. Each is passed on to whoever tells merchants. Answers how many purchases were ended now: one that was rejected
 * or refunded before stays as it is.
 */
export async function refundPurchases(tx: Tx, arrivals: readonly ArrivingRefund[]): Promise<number> {
  const refunds = [...new Map(arrivals.map((refund) => [purchaseKey(refund), refund])).values()];
  const seen = await findPurchases(tx, refunds);
  await lockJoins(tx, [...seen.values()].flatMap(({ terms }) => (terms ? [terms] : [])));
  // Read again: what was read before the lock may be waiting no more.
  const locked = await findPurchases(tx, refunds);
  if ([...locked].some(([key, { terms }]) => terms && !seen.get(key)?.terms)) {
    // Its join is not locked: a registration that holds it would end the purchase beside this refund.
    throw new LostRace('a purchase came between the two looks of its refund');
  }
  const decided = (wanted: ReturnType<typeof decideRefund>) => refunds.filter((refund) => decideRefund(locked.get(purchaseKey(refund))) === wanted);
  const tombstones = decided('tombstone');
  const ended = decided('refund');
  await insertTombstones(tx, tombstones);
  await setRefunded(tx, ended);
  for (const { correlationId, ...refund } of [...tombstones, ...ended]) tx.append(PurchaseRefunded, refund, correlationId);
  const correlations = new Map(ended.map((refund) => [purchaseKey(refund), refund.correlationId]));
  for (const token of await revokeTokensOfPurchases(tx, ended)) {
    const purchase = { merchantId: token.merchantId, purchaseId: token.purchaseId! };
    appendRevoked(tx, token, 'refunded', correlations.get(purchaseKey(purchase)));
  }
  return tombstones.length + ended.length;
}

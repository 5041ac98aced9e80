import type { EventData, PurchaseCompleted, PurchaseRefunded } from '@latchkey/contracts';

type Completed = EventData<typeof PurchaseCompleted>;
type Refunded = EventData<typeof PurchaseRefunded>;

/** A purchase that a customer paid for, of the client's merchant. Times are RFC 3339 in UTC; `completedAt` is now unless given. */
export type CompletedPurchase = Readonly<Omit<Completed, 'merchantId' | 'kids' | 'completedAt'>> & {
  readonly kids: readonly string[];
  readonly completedAt?: string;
};

/** A purchase that was given back. `refundedAt` is now unless given. */
export type RefundedPurchase = Readonly<Omit<Refunded, 'merchantId' | 'refundedAt'>> & { readonly refundedAt?: string };

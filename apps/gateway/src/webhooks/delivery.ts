import type { DeliveryFailure, DeliveryState, DeliveryView } from '@latchkey/contracts';

/** A delivery as it lies in the database, without what it delivers. */
export interface StoredDelivery {
  readonly deliveryId: string;
  /** The number of the event in the feed. */
  readonly sequence: number;
  readonly type: string;
  readonly state: DeliveryState;
  /** Attempts that ended, ever. */
  readonly attempts: number;
  readonly createdAt: Date;
  /** When the next attempt is due, where it is pending. */
  readonly dueAt: Date;
  readonly lastAttemptAt: Date | undefined;
  readonly lastStatus: number | undefined;
  readonly lastFailure: DeliveryFailure | undefined;
  readonly settledAt: Date | undefined;
}

/** The delivery as the API shows it. */
export function deliveryViewOf(delivery: StoredDelivery): DeliveryView {
  const { deliveryId, sequence, type, state, attempts, createdAt, lastAttemptAt, lastStatus, lastFailure, settledAt } = delivery;
  return {
    deliveryId,
    eventId: String(sequence),
    type,
    state,
    attempts,
    createdAt: createdAt.toISOString(),
    ...(lastAttemptAt && { lastAttemptAt: lastAttemptAt.toISOString() }),
    ...(lastStatus !== undefined && { lastStatus }),
    ...(lastFailure !== undefined && { lastFailure }),
    ...(state === 'pending' && { nextAttemptAt: delivery.dueAt.toISOString() }),
    ...(state === 'delivered' && settledAt && { deliveredAt: settledAt.toISOString() }),
  };
}

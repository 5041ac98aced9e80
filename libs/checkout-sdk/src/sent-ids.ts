import { CheckoutError } from './checkout-error.js';
import type { PurchaseEvent } from './purchase-event.js';

const REMEMBERED_MAX = 1_000;

/**
 * The ids that were given for events lately. Latchkey recognises a repeat by its id alone, whatever its content or type: a
 * refund under the id of its purchase would be taken for the purchase, and nobody would ever hear of it.
 */
export class SentIds {
  private readonly digests = new Map<string, string>();

  /** Throws `id-reused` where something else was published under this event's id. */
  note({ id, digest }: PurchaseEvent): void {
    const before = this.digests.get(id);
    if (before !== undefined && before !== digest) throw new CheckoutError('id-reused', 'something else was published under this id');
    this.digests.delete(id);
    this.digests.set(id, digest);
    if (this.digests.size > REMEMBERED_MAX) this.digests.delete(this.digests.keys().next().value!);
  }
}

import type { FakeDevice } from '@latchkey/kits';
import type { Terms } from '../operation.js';
import type { Seller } from '../system/target.js';

/** A content token as a player holds it. */
export interface HeldToken {
  readonly tokenId: string;
  readonly token: string;
  readonly purchaseId?: string;
  readonly kids: readonly string[];
  readonly device: FakeDevice;
}

/** A purchase that somebody tried to make, with the devices that may be registered for it. */
export interface Order {
  readonly terms: Terms;
  readonly devices: readonly FakeDevice[];
  readonly tokens: Map<string, HeldToken>;
  /** Whose sale it is. */
  readonly seller: Seller;
}

/** What all actors know: orders and tokens to come back to. */
export class Ledger {
  readonly orders: Order[] = [];
  readonly directTokens: HeldToken[] = [];

  /** Notes an order before it is placed. */
  open(terms: Terms, devices: readonly FakeDevice[], seller: Seller): Order {
    const order: Order = { terms, devices, tokens: new Map(), seller };
    this.orders.push(order);
    return order;
  }
}

import type { FakeDevice } from '@latchkey/kits';
import type { Terms } from '../operation.js';

/** A content token as a player holds it. */
export interface HeldToken {
  readonly tokenId: string;
  readonly token: string;
  readonly purchaseId?: string;
  readonly kids: readonly string[];
  readonly device: FakeDevice;
}

/** A purchase that somebody tried to make, with the device that its customer registered, once there is one. */
export interface Order {
  readonly terms: Terms;
  readonly devices: readonly FakeDevice[];
  readonly tokens: Map<string, HeldToken>;
}

/** What all actors know: orders to come back to, and the proofs that were presented lately. */
export class Ledger {
  readonly orders: Order[] = [];
  readonly directTokens: HeldToken[] = [];

  /** Notes an order before it is placed. */
  open(terms: Terms, devices: readonly FakeDevice[]): Order {
    const order: Order = { terms, devices, tokens: new Map() };
    this.orders.push(order);
    return order;
  }
}

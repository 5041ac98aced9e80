import { merchantOfCheckoutUser } from '@latchkey/contracts';
import type { RawMessage } from './broker.js';

/** Which broker users may publish for which merchant. */
export interface CheckoutUsers {
  /** The merchant that a broker user belongs to, or undefined where it is no checkout. */
  merchantOf(user: string): string | undefined;
}

/**
 * Checkout users by convention (`checkout-<merchantId>`), with the operator's exceptions (`user:merchant, …`) first.
 */
export function checkoutUsers(exceptions: ReadonlyMap<string, string>): CheckoutUsers {
  return {
    merchantOf: (user) => exceptions.get(user) ?? merchantOfCheckoutUser(user),
  };
}

/**
 * Why a purchase event must not be believed, or undefined where it may. The broker validates `user_id`, so a checkout
 * that names itself can speak for its own merchant only; one that does not name itself could be any of them.
 */
export function refuseForeignCheckout(message: RawMessage, merchantId: unknown, users: CheckoutUsers): string | undefined {
  if (message.publisher === undefined) return 'the publisher did not set user_id, so nobody knows whose checkout it is';
  const merchant = users.merchantOf(message.publisher);
  if (merchant === undefined) return 'the broker user that published it belongs to no merchant';
  if (merchant !== merchantId) return 'the broker user that published it belongs to another merchant';
  return undefined;
}

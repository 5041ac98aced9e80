/** The topic exchange to which every event is published, with its CloudEvents `type` as routing key. */
export const EVENTS_EXCHANGE = 'latchkey.events';

const checkoutPrefix = 'checkout-';

/** The broker user of a merchant's checkout, unless the operator names another. */
export function checkoutUserOf(merchantId: string): string {
  return checkoutPrefix + merchantId;
}

/** The merchant whose checkout a broker user is by its name; undefined where the name does not say. */
export function merchantOfCheckoutUser(user: string): string | undefined {
  return user.startsWith(checkoutPrefix) ? user.slice(checkoutPrefix.length) : undefined;
}

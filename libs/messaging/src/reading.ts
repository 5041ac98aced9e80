import type { CloudEvent, ServiceName, Subscription } from '@latchkey/contracts';
import type { RawMessage } from './broker.js';
import { readMessage } from './cloud-event-codec.js';
import { type CheckoutUsers, refuseForeignCheckout } from './publisher-check.js';
import { publicationHeardBy, publicationOf } from './topology.js';

/** A message that a handler can take, or the reason why it cannot: then it goes to quarantine at once, unless it is to be retried. */
export type Reading = { readonly ok: true; readonly event: CloudEvent; readonly type: string } | { readonly ok: false; readonly reason: string; readonly retry?: true };

/** Events that merchants' checkouts publish; everything else comes from Latchkey's own services. */
const fromCheckouts = /^purchase\.(?:completed|refunded)\./;

/**
 * Reads one message for a service: its form, its origin, and the fields that the service uses.
 *
 * It must have been published where the service hears it, under the routing key of its own type, first time, retry or
 * redrive alike. The broker checks routing keys, not headers, so otherwise a checkout could publish `device.registered.v1`
 * inside a `purchase.completed.v1`; and what was put into the queue by another way has been checked by nobody.
 */
export function readDelivery(
  message: RawMessage,
  service: ServiceName,
  subscriptions: ReadonlyMap<string, Subscription>,
  checkouts: CheckoutUsers,
): Reading {
  const read = readMessage(message);
  if (!read.ok) return read;
  const { event } = read;
  const subscription = subscriptions.get(event.type);
  if (!subscription) return unknownType(message, event.type, service);
  const published = publicationHeardBy(service, subscription);
  if (message.exchange !== published.exchange) return { ok: false, reason: `it was not published to ${published.exchange}` };
  if (message.routingKey !== published.routingKey) return { ok: false, reason: 'the routing key is not that of its CloudEvents type' };
  const data = subscription.schema.safeParse(event.data);
  if (!data.success) {
    const paths = data.error.issues.slice(0, 8).map((issue) => `/${issue.path.map(String).join('/')}`);
    return { ok: false, reason: `the data breaks the schema at ${paths.join(', ')}` };
  }
  // What the issuer passes on to another service it has checked itself.
  if (subscription.by === 'original' && fromCheckouts.test(event.type)) {
    const { merchantId } = data.data as { merchantId?: unknown };
    const refusal = refuseForeignCheckout(message, merchantId, checkouts);
    if (refusal !== undefined) return { ok: false, reason: refusal };
    // Ids are unique in a source, and every merchant may call its checkout `/checkout`: without its owner's name in the
    // key, one merchant's event would pass for a repeat of another's, and vanish.
    const source = `/checkout/${String(merchantId)}#${event.source}`;
    return { ok: true, event: { ...event, source, data: data.data }, type: event.type };
  }
  return { ok: true, event: { ...event, data: data.data }, type: event.type };
}

/**
 * A type that came by a binding of this service's queue is one that a newer replica consumes: it is left for that replica,
 * which shares the queue. A type that no binding explains was put into the queue by other means.
 */
function unknownType({ exchange, routingKey }: RawMessage, type: string, service: ServiceName): Reading {
  const bound = [publicationOf(type), publicationOf(type, service)].some((one) => one.exchange === exchange && one.routingKey === routingKey);
  if (bound) return { ok: false, reason: 'this version of the service does not consume this type', retry: true };
  return { ok: false, reason: 'the service does not consume this type' };
}

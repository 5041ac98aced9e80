import type { CloudEvent, Subscription } from '@latchkey/contracts';
import type { RawMessage } from './broker.js';
import { readMessage } from './cloud-event-codec.js';
import { type CheckoutUsers, refuseForeignCheckout } from './publisher-check.js';

/** A message that a handler can take, or the reason for which it goes to quarantine at once. */
export type Reading = { readonly ok: true; readonly event: CloudEvent; readonly type: string } | { readonly ok: false; readonly reason: string };

/** Events that merchants' checkouts publish; everything else comes from Latchkey's own services. */
const fromCheckouts = /^purchase\.(?:completed|refunded)\./;

/**
 * Reads one message for a service: its form, its origin, and the fields that the service uses.
 *
 * A first delivery must carry the type under which it was routed: the broker checks routing keys, not headers, so
 * otherwise a checkout could publish `device.registered.v1` inside a `purchase.completed.v1`. What comes back through
 * the service's own retry exchange was checked before, and nobody else may write there.
 */
export function readDelivery(
  message: RawMessage,
  subscriptions: ReadonlyMap<string, Subscription>,
  options: { readonly retryExchange: string; readonly checkouts: CheckoutUsers },
): Reading {
  const read = readMessage(message);
  if (!read.ok) return read;
  const { event } = read;
  if (message.exchange !== options.retryExchange && event.type !== message.routingKey) {
    return { ok: false, reason: 'the CloudEvents type is not the routing key' };
  }
  const subscription = subscriptions.get(event.type);
  if (!subscription) return { ok: false, reason: 'the service does not hear this type' };
  const data = subscription.schema.safeParse(event.data);
  if (!data.success) {
    const paths = data.error.issues.slice(0, 8).map((issue) => `/${issue.path.map(String).join('/')}`);
    return { ok: false, reason: `the data breaks the schema at ${paths.join(', ')}` };
  }
  if (fromCheckouts.test(event.type)) {
    const refusal = refuseForeignCheckout(message, (data.data as { merchantId?: unknown }).merchantId, options.checkouts);
    if (refusal !== undefined) return { ok: false, reason: refusal };
  }
  return { ok: true, event: { ...event, data: data.data }, type: event.type };
}

import { Webhook } from 'standardwebhooks';

/** An event as it is told to a receiver. */
export interface WebhookMessage {
  /** The same at every attempt, so that a receiver knows what it has had. */
  readonly deliveryId: string;
  readonly type: string;
  /** When it happened, RFC 3339. */
  readonly occurredAt: string;
  /** The event's data as JSON text. */
  readonly data: string;
}

/** The body of a message, as Standard Webhooks recommends it. The same for the same event, at every attempt. */
export function bodyOf({ type, occurredAt, data }: WebhookMessage): string {
  return `{"type":${JSON.stringify(type)},"timestamp":${JSON.stringify(occurredAt)},"data":${data}}`;
}

/** The headers of one attempt, signed by each of the secrets, of which a receiver needs to know one. */
export function signedHeaders(deliveryId: string, body: string, secrets: readonly string[], now: Date): Readonly<Record<string, string>> {
  return {
    'content-type': 'application/json',
    'user-agent': 'Latchkey-Webhooks/1',
    'webhook-id': deliveryId,
    'webhook-timestamp': String(Math.floor(now.getTime() / 1000)),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(deliveryId, now, body)).join(' '),
  };
}

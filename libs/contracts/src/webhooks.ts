import { z } from 'zod';
import {
  DeviceRegistered,
  DeviceRevoked,
  LicenseDenied,
  LicenseGranted,
  PurchaseCompleted,
  PurchaseRefunded,
  PurchaseRejected,
  TokenIssued,
  TokenRevoked,
} from './events.js';
import { reason, timestamp } from './vocabulary.js';

/** What merchants are told about: by `GET /v1/events` all of it, by a webhook what it was made for. */
export const merchantEvents = [
  DeviceRegistered,
  PurchaseCompleted,
  TokenIssued,
  LicenseGranted,
  LicenseDenied,
  PurchaseRejected,
  PurchaseRefunded,
  TokenRevoked,
  DeviceRevoked,
] as const;

/** The type of an event that merchants are told about. */
export const merchantEventType = z.enum(merchantEvents.map(({ type }) => type) as [string, ...string[]]).meta({ id: 'MerchantEventType' });

/** The longest URL that a webhook may have, in characters. */
export const WEBHOOK_URL_CHARACTERS_MAX = 2048;
const PRIVILEGED_PORTS_END = 1024;
const webPorts: ReadonlySet<number> = new Set([80, 443]);

/**
 * Whether it is a URL that reads the same to everybody: no name or password in it, no fragment, no backslash. Of the
 * privileged ports those of the web alone, so that nobody has us talk to mail servers and the like.
 */
function isPlainWebUrl(text: string): boolean {
  if (!/^https?:\/\/[^/?#@\\]+(?:[/?][^#\\]*)?$/.test(text) || !URL.canParse(text)) return false;
  const port = Number(new URL(text).port || 443);
  return port >= PRIVILEGED_PORTS_END || webPorts.has(port);
}

/** Where a webhook's messages go. Whether the address behind it may be gone to is known only when it is connected to. */
export const webhookUrl = z
  .string()
  .regex(/^[\x21-\x7e]{1,2048}$/, `must be 1 to ${WEBHOOK_URL_CHARACTERS_MAX} visible ASCII characters`)
  .refine(isPlainWebUrl, 'must be an http or https URL without credentials and fragment, on port 80, 443 or one from 1024')
  .meta({ id: 'WebhookUrl', examples: ['https://shop.example/latchkey'] });

const outsideForm = /^[A-Za-z0-9_-]{1,64}$/;
const formMessage = 'must be 1 to 64 of A-Z a-z 0-9 _ -';
/** The id of a webhook that Latchkey made. Its form is checked loosely, as a cookie's is. */
export const webhookId = z.string().regex(outsideForm, formMessage).meta({ id: 'WebhookId', examples: ['wh_5c1Jm3v0QeW8yXo2LrT9aA'] });
/** The id of a delivery, which its receiver sees as `webhook-id`, at every attempt the same. */
export const deliveryId = z.string().regex(outsideForm, formMessage).meta({ id: 'DeliveryId', examples: ['msg_2bd8c6a55d5f4a0a9b0d2e1c7f3a6b58'] });

/** The event types of a webhook: at least one, all different. */
export const webhookEventTypes = z
  .array(merchantEventType)
  .min(1)
  .max(merchantEvents.length)
  .refine((list) => new Set(list).size === list.length, 'must all be different');

/**
 * A webhook as the API shows it. Without `eventTypes` it is told of everything. `failing` means that the last attempt was
 * not taken, since `failingSince`; `disabled`, that the receiver answered 410: nothing is sent until a redelivery is taken.
 */
export const webhookView = z
  .object({
    webhookId,
    url: webhookUrl,
    eventTypes: webhookEventTypes.optional(),
    description: reason.optional(),
    state: z.enum(['active', 'failing', 'disabled']),
    failingSince: timestamp.optional(),
    createdAt: timestamp,
    previousSecretUntil: timestamp.optional(),
  })
  .meta({ id: 'WebhookView' });
/** A webhook as the API shows it. */
export type WebhookView = z.infer<typeof webhookView>;

const secret = z.string().meta({ id: 'WebhookSecret', examples: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw3nV0uJ6yTqE='] });
/** A webhook that was just made, with its secret, which is shown this once. */
export const newWebhookView = webhookView.extend({ secret }).meta({ id: 'NewWebhookView' });
/** A webhook that was just made. */
export type NewWebhookView = z.infer<typeof newWebhookView>;

/** A webhook's new secret, shown this once, and until when the one before it signs beside it. */
export const rotatedSecretView = z.object({ webhookId, secret, previousSecretUntil: timestamp }).meta({ id: 'RotatedSecretView' });
/** A webhook's new secret. */
export type RotatedSecretView = z.infer<typeof rotatedSecretView>;

/** Where a delivery stands: it waits for its next attempt, was taken, or was given up. */
export const deliveryState = z.enum(['pending', 'delivered', 'failed']).meta({ id: 'DeliveryState' });
/** Where a delivery stands. */
export type DeliveryState = z.infer<typeof deliveryState>;

/** Why an attempt was not taken. `answer` is a status outside 2xx, which `lastStatus` tells. */
export const deliveryFailure = z
  .enum(['answer', 'redirect', 'gone', 'timeout', 'name-unknown', 'address-refused', 'insecure-refused', 'connection', 'tls', 'secret-unreadable'])
  .meta({ id: 'DeliveryFailure' });
/** Why an attempt was not taken. */
export type DeliveryFailure = z.infer<typeof deliveryFailure>;

/** An event on its way to a webhook. `eventId` is the event's id in `GET /v1/events`. */
export const deliveryView = z
  .object({
    deliveryId,
    eventId: z.string().meta({ examples: ['4711'] }),
    type: merchantEventType,
    state: deliveryState,
    attempts: z.int(),
    createdAt: timestamp,
    lastAttemptAt: timestamp.optional(),
    lastStatus: z.int().optional(),
    lastFailure: deliveryFailure.optional(),
    nextAttemptAt: timestamp.optional(),
    deliveredAt: timestamp.optional(),
  })
  .meta({ id: 'DeliveryView' });
/** An event on its way to a webhook. */
export type DeliveryView = z.infer<typeof deliveryView>;

/** One page of deliveries, newest event first. `more` says that there are older ones. */
export const deliveriesView = z.object({ deliveries: z.array(deliveryView), more: z.boolean() }).meta({ id: 'DeliveriesView' });
/** One page of deliveries, newest event first. */
export type DeliveriesView = z.infer<typeof deliveriesView>;

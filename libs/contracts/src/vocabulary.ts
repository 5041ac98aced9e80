import { z } from 'zod';

/** The merchant (tenant) that owns everything else. Lower case, so that it can be part of a broker user's name. */
export const merchantId = z
  .string()
  .regex(/^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/, 'must be 1 to 63 of a-z 0-9 -, neither first nor last a hyphen')
  .meta({ id: 'MerchantId', examples: ['default'] });

const outsideId = z.string().regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must be 1 to 128 of A-Z a-z 0-9 _ . : -');

/** The merchant's own id of a purchase. */
export const purchaseId = outsideId.meta({ id: 'PurchaseId', examples: ['order-1001'] });
/** The merchant's own id of its customer. */
export const accountId = outsideId.meta({ id: 'AccountId', examples: ['alice'] });
/** The merchant's own id of a film, an episode, a channel. */
export const contentId = outsideId.meta({ id: 'ContentId', examples: ['film-42'] });

/**
 * An opaque correlation value. Latchkey makes them of base64url; a merchant that makes up its own may use base64, GUIDs or
 * what looks like an address, so whoever puts one into a URL has to encode it. An unknown one is unknown, not malformed.
 */
export const cookie = z
  .string()
  .regex(/^[A-Za-z0-9._~:@+/=-]{1,32}$/, 'must be 1 to 32 of A-Z a-z 0-9 . _ ~ : @ + / = -')
  .meta({ id: 'Cookie', examples: ['Xq3mJ7dEwq0VvZ8n1yH2tA'] });

/** A device id: the RFC 7638 thumbprint of the device's key (evidence `proof`) or the id that a DRM computed (`asserted`). */
export const deviceId = z
  .string()
  .regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters')
  .meta({ id: 'DeviceId', examples: ['0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I'] });

/** How a device id is known: `proof` (it signs with the key) or `asserted` (a licence proxy of the merchant vouches). */
export const evidence = z.enum(['proof', 'asserted']).meta({ id: 'Evidence' });
/** How a device id is known. */
export type Evidence = z.infer<typeof evidence>;

/**
 * How sure it is that an asserted id is of the device: the DRM keeps it in `hardware`, in `software` that its owner can reset
 * or copy, or nobody says (`unknown`).
 */
export const statedConfidence = z.enum(['hardware', 'software', 'unknown']);

/** How sure it is that an id is of the device. `proof`: the device proves a key; of others it is what their licence server stated. */
export const confidence = z.enum(['proof', ...statedConfidence.options]).meta({ id: 'Confidence' });
/** How sure it is that an id is of the device. */
export type Confidence = z.infer<typeof confidence>;

/** The confidence in a device: a proof speaks for itself, and what nobody stated is unknown. */
export function confidenceOf(evidence: Evidence, stated: Confidence | null | undefined): Confidence {
  return evidence === 'proof' ? 'proof' : (stated ?? 'unknown');
}

/** The id of a content key: 16 bytes as 32 lower-case hex digits. */
export const kid = z
  .string()
  .regex(/^[0-9a-f]{32}$/, 'must be 32 lower-case hex digits')
  .meta({ id: 'Kid', examples: ['0123456789abcdef0123456789abcdef'] });

/** The kids of one purchase or token: 1 to 32, all different. */
export const kids = z
  .array(kid)
  .min(1)
  .max(32)
  .refine((list) => new Set(list).size === list.length, 'must all be different')
  .meta({ id: 'Kids' });

/** A content key (CEK): 16 bytes as 32 hex digits. A secret: never logged, never in an event. */
export const contentKey = z.string().regex(/^[0-9a-fA-F]{32}$/, 'must be 32 hex digits').meta({ id: 'ContentKey' });

/** PostgreSQL has no year 0. */
const YEAR_ONE_MS = Date.parse('0001-01-01T00:00:00Z');

/** A time as RFC 3339 in UTC, `2026-11-23T12:00:00Z` with any number of fractional digits. */
export const timestamp = z.iso
  .datetime()
  .refine((time) => Date.parse(time) >= YEAR_ONE_MS, 'must be a year that databases know')
  .meta({ id: 'Timestamp', examples: ['2026-11-23T12:00:00.000Z'] });

/** A length of time in whole seconds, at most ten years. */
export const durationSeconds = z.int().min(1).max(315_360_000);

const purchaseRights = { type: z.literal('purchase'), availableFrom: timestamp.optional() };
const rentalRights = {
  type: z.literal('rental'),
  availableFrom: timestamp.optional(),
  availableUntil: timestamp,
  playDurationSeconds: durationSeconds,
};
const opensBeforeItCloses = (rights: { availableFrom?: string | undefined; availableUntil?: string | undefined }): boolean =>
  rights.availableFrom === undefined ||
  rights.availableUntil === undefined ||
  Date.parse(rights.availableFrom) < Date.parse(rights.availableUntil);
const windowRule = { message: 'availableFrom must lie before availableUntil', path: ['availableFrom'] };

/** What was bought, as an HTTP caller states it: a member that is not known is refused. */
export const rights = z
  .discriminatedUnion('type', [z.strictObject(purchaseRights), z.strictObject(rentalRights)])
  .refine(opensBeforeItCloses, windowRule)
  .meta({ id: 'Rights' });

/** What was bought, as an event states it: a member that a later version adds is ignored. */
export const rightsInEvents = z
  .discriminatedUnion('type', [z.object(purchaseRights), z.object(rentalRights)])
  .refine(opensBeforeItCloses, windowRule);

/** `purchase` for ever, or `rental` with its two clocks: `availableUntil` and `playDurationSeconds` from the first licence. */
export type Rights = z.infer<typeof rights>;

/** A reason that a person gave, kept for people: one line. Control characters break logs; PostgreSQL takes no NUL and no lone surrogate. */
export const reason = z.string().regex(/^[^\p{Cc}\p{Cs}]{1,256}$/u, 'must be 1 to 256 characters on one line');

/** A reason as a checkout's event states it: whatever it is, it must not keep a refund out. */
export const reasonInEvents = z.string().max(4096);

import { z } from 'zod';
import { accountId, confidence, contentId, cookie, deviceId, evidence, kids, merchantId, purchaseId, rights, timestamp } from './vocabulary.js';

/** A cookie as the API shows it. `bound` wins over `expired`: a bound cookie stays bound when its time is over. */
export const cookieView = z
  .object({ cookie, accountId, state: z.enum(['pending', 'bound', 'expired']), expiresAt: timestamp })
  .meta({ id: 'CookieView' });
/** A cookie as the API shows it. */
export type CookieView = z.infer<typeof cookieView>;

const deviceState = z.enum(['active', 'revoked']);

/** What record retrieval returns: the device that is bound to a cookie. A registry of the version before states no confidence. */
export const deviceRecord = z
  .object({ cookie, accountId, deviceId, evidence, confidence: confidence.optional(), state: deviceState, registeredAt: timestamp })
  .meta({ id: 'DeviceRecord' });
/** What record retrieval returns. */
export type DeviceRecord = z.infer<typeof deviceRecord>;

/**
 * A device in an account's list. `lastSeenAt` is the last time it registered for one of the account's cookies, and `confidence`
 * that of the cookie that it bound last.
 */
export const accountDevice = z
  .object({ deviceId, evidence, confidence: confidence.optional(), state: deviceState, registeredAt: timestamp, lastSeenAt: timestamp })
  .meta({ id: 'AccountDevice' });

/** A registration token (the reference's dummy token) and where the device takes it. */
export const registrationTokenView = z
  .object({ token: z.string(), licenseUrl: z.string(), expiresAt: timestamp })
  .meta({ id: 'RegistrationTokenView' });

/** Where a purchase stands. It never leaves `rejected` or `refunded`. */
export const purchaseState = z.enum(['awaiting-device', 'issued', 'rejected', 'refunded']);
/** Where a purchase stands. */
export type PurchaseState = z.infer<typeof purchaseState>;

/** A purchase as the API shows it. A refund that came before its purchase shows only the members that it knows. */
export const purchaseView = z
  .object({
    purchaseId,
    state: purchaseState,
    code: z.string().optional(),
    tokenId: z.string().optional(),
    deviceId: deviceId.optional(),
    cookie: cookie.optional(),
    contentId: contentId.optional(),
    kids: kids.optional(),
    rights: rights.optional(),
    completedAt: timestamp.optional(),
    acceptedAt: timestamp,
    refundedAt: timestamp.optional(),
  })
  .meta({ id: 'PurchaseView' });
/** A purchase as the API shows it. */
export type PurchaseView = z.infer<typeof purchaseView>;

/** A content token and where its device takes it. */
export const contentTokenView = z
  .object({ token: z.string(), tokenId: z.string(), deviceId, licenseUrl: z.string(), expiresAt: timestamp })
  .meta({ id: 'ContentTokenView' });
/** A content token and where its device takes it. */
export type ContentTokenView = z.infer<typeof contentTokenView>;

/**
 * A content token as its device collects it: the members of `ContentTokenView` that belong to one token, and what it is
 * for. `kids` are 32 lower-case hex, as merchants name them; `rights` are those that the token itself says, whose times a
 * token rounds to whole seconds. `purchaseId` is left out where no purchase stands behind the token.
 */
export const deviceToken = contentTokenView
  .pick({ token: true, tokenId: true, expiresAt: true })
  .extend({ purchaseId: purchaseId.optional(), contentId, kids, rights })
  .meta({ id: 'DeviceToken' });
/** A content token as its device collects it. */
export type DeviceToken = z.infer<typeof deviceToken>;

/**
 * Live tokens of one device, newest first. `more` says that there are others for which one answer has no room: a token
 * that is missing would otherwise look like one that was never bought.
 */
export const deviceTokens = z.object({ tokens: z.array(deviceToken), more: z.boolean() });
/** Live tokens of one device, newest first. */
export type DeviceTokens = z.infer<typeof deviceTokens>;

/** What a device is answered that collects its tokens: the tokens, and where it takes them. */
export const deviceTokensView = deviceTokens.extend({ licenseUrl: z.string() }).meta({ id: 'DeviceTokensView' });
/** What a device is answered that collects its tokens. */
export type DeviceTokensView = z.infer<typeof deviceTokensView>;

/** The public half of a signing key, as RFC 7517 writes it. */
export const signingJwk = z
  .object({
    kty: z.literal('EC'),
    crv: z.literal('P-256'),
    x: z.string(),
    y: z.string(),
    kid: z.string(),
    alg: z.literal('ES256'),
    use: z.literal('sig'),
  })
  .meta({ id: 'SigningJwk' });

/** The key set (RFC 7517) with which tokens can be verified. */
export const jwks = z.object({ keys: z.array(signingJwk) }).meta({ id: 'Jwks' });

/** A cookie of a merchant, as services name it to each other. */
export const cookieRef = z.object({ merchantId, cookie });
/** A cookie of a merchant, as services name it to each other. */
export type CookieRef = z.infer<typeof cookieRef>;

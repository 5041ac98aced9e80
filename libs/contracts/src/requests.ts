import { z } from 'zod';
import { licenseQuestion, licenseVerdict } from './license-verification.js';
import { defineRequest } from './request-contract.js';
import {
  accountDevice,
  contentTokenView,
  cookieRef,
  cookieView,
  deviceRecord,
  deviceTokens,
  jwks,
  purchaseView,
  registrationTokenView,
} from './resources.js';
import {
  accountId,
  contentId,
  contentKey,
  cookie,
  deviceId,
  durationSeconds,
  evidence,
  kid,
  kids,
  merchantId,
  purchaseId,
  reason,
  rights,
  statedConfidence,
  timestamp,
} from './vocabulary.js';

export * from './expressplay-requests.js';

/** What a caller sends as `Idempotency-Key`: the same key with the same request gets the same answer for 24 hours. */
export const idempotencyKey = z.string().regex(/^[\x21-\x7e]{1,128}$/, 'must be 1 to 128 visible ASCII characters');

/** Makes a cookie. Refuses with `idempotency-key-differs`. */
export const issueCookie = defineRequest({
  name: 'cookie.issue',
  service: 'cookie',
  input: z.object({
    merchantId,
    accountId,
    ttlSeconds: durationSeconds.optional(),
    idempotencyKey: idempotencyKey.optional(),
  }),
  output: cookieView,
});

/** Shows a cookie, with a binding that the cookie service may not have heard of. Refuses with `cookie-unknown`. */
export const getCookie = defineRequest({ name: 'cookie.get', service: 'cookie', input: cookieRef, output: cookieView });

/** Which of these cookies exist, as the cookie service itself knows them. Unknown ones are left out. */
export const lookUpCookies = defineRequest({
  name: 'cookie.look-up',
  service: 'cookie',
  input: z.object({ cookies: z.array(cookieRef).max(500) }),
  output: z.object({ cookies: z.array(cookieRef.extend({ accountId, expiresAt: timestamp })) }),
});

/** What became of an attempt to bind a device to a cookie. */
export const bindOutcome = z.enum(['bound', 'cookie-bound-elsewhere', 'device-revoked', 'cookie-expired']);

/**
 * Binds a device to a cookie, first come first served; the same device again is `bound` again. Account and expiry come
 * from the signed registration token, so that binding never waits for `CookieIssued`.
 */
export const bindDevice = defineRequest({
  name: 'device-registry.bind',
  service: 'device-registry',
  input: z.object({ merchantId, cookie, accountId, cookieExpiresAt: timestamp, evidence, deviceId, confidence: statedConfidence.optional() }),
  output: z.object({ outcome: bindOutcome }),
});

/** Record retrieval. Refuses with `cookie-unknown` or `device-not-registered`. */
export const getDeviceRecord = defineRequest({
  name: 'device-registry.record',
  service: 'device-registry',
  input: cookieRef,
  output: deviceRecord,
});

/** Which of these cookies have a device. Cookies without one are left out. */
export const lookUpBindings = defineRequest({
  name: 'device-registry.look-up',
  service: 'device-registry',
  input: z.object({ cookies: z.array(cookieRef).max(500) }),
  output: z.object({ bindings: z.array(deviceRecord.extend({ merchantId })) }),
});

/** The devices of an account; an account that never registered one has an empty list. */
export const listDevices = defineRequest({
  name: 'device-registry.list',
  service: 'device-registry',
  input: z.object({ merchantId, accountId }),
  output: z.object({ devices: z.array(accountDevice) }),
});

/** Revokes a device for good; again is fine. Refuses with `device-unknown`. */
export const revokeDevice = defineRequest({
  name: 'device-registry.revoke',
  service: 'device-registry',
  input: z.object({ merchantId, deviceId, reason: reason.optional() }),
  output: z.object({ deviceId, state: z.literal('revoked') }),
});

/** Mints a registration token. Refuses with `cookie-unknown`, `cookie-expired` or `cookie-bound`. */
export const issueRegistrationToken = defineRequest({
  name: 'token-issuer.registration-token',
  service: 'token-issuer',
  input: z.object({ merchantId, cookie, deviceId: deviceId.optional() }),
  output: registrationTokenView,
});

/** Stores a content key, wrapped. `created` is false for the same key again. Refuses with `content-key-differs`. */
export const putContentKey = defineRequest({
  name: 'token-issuer.put-content-key',
  service: 'token-issuer',
  input: z.object({ merchantId, kid, key: contentKey, contentId: contentId.optional() }),
  output: z.object({ created: z.boolean() }),
});

/** Accepts a purchase that came over HTTP. Refuses with every code that `API.md` names for a purchase. */
export const acceptPurchase = defineRequest({
  name: 'token-issuer.accept-purchase',
  service: 'token-issuer',
  input: z.object({
    merchantId,
    purchaseId,
    cookie,
    deviceId: deviceId.optional(),
    contentId,
    kids,
    rights,
    completedAt: timestamp,
  }),
  output: purchaseView,
});

/** Shows a purchase. Refuses with `purchase-unknown`. */
export const getPurchase = defineRequest({
  name: 'token-issuer.purchase',
  service: 'token-issuer',
  input: z.object({ merchantId, purchaseId }),
  output: purchaseView,
});

/**
 * The live token of a purchase, renewed in the last 24 h before its expiry, but not in the first half of its lifetime, and
 * after it. Refuses with `purchase-unknown`, `token-not-issued`, `purchase-refunded`, `device-revoked`, or the code with
 * which the purchase was rejected.
 */
export const getPurchaseToken = defineRequest({
  name: 'token-issuer.purchase-token',
  service: 'token-issuer',
  input: z.object({ merchantId, purchaseId }),
  output: contentTokenView,
});

/** Refunds a purchase. Refuses with `purchase-unknown`. */
export const refundPurchase = defineRequest({
  name: 'token-issuer.refund-purchase',
  service: 'token-issuer',
  input: z.object({ merchantId, purchaseId, reason: reason.optional() }),
  output: purchaseView,
});

/** Issues a content token without a purchase. Refuses as `POST /v1/tokens` does. */
export const issueToken = defineRequest({
  name: 'token-issuer.issue-token',
  service: 'token-issuer',
  input: z.object({
    merchantId,
    cookie,
    deviceId: deviceId.optional(),
    contentId,
    kids,
    rights,
    keys: z.record(kid, contentKey).optional(),
    ttlSeconds: durationSeconds.optional(),
    idempotencyKey: idempotencyKey.optional(),
  }),
  output: contentTokenView,
});

/**
 * The live tokens of a device that has proved its key: neither superseded nor revoked nor expired, of this merchant, and
 * bound to that key itself. `cookie` is the one of the token that the device came with: purchases that wait for a device
 * of this cookie are settled first, so that whoever was registered a moment ago finds what was bought before.
 *
 * Refuses with `device-revoked`, and with `cookie-bound-elsewhere` where another device is bound to the cookie. A cookie
 * without a device is no refusal: what the device registered by other cookies is listed, and nothing for one that never
 * registered.
 */
export const listDeviceTokens = defineRequest({
  name: 'token-issuer.device-tokens',
  service: 'token-issuer',
  input: z.object({ merchantId, cookie, deviceId }),
  output: deviceTokens,
});

/** The public halves of every signing key whose tokens may still be in use. */
export const getJwks = defineRequest({ name: 'token-issuer.jwks', service: 'token-issuer', input: z.object({}), output: jwks });

/** Which of these signing keys the licence servers hold: a key signs only after they do. */
export const holdSigningKeys = defineRequest({
  name: 'license-server.signing-keys-held',
  service: 'license-server',
  input: z.object({ keyIds: z.array(z.string().max(64)).max(100) }),
  output: z.object({ held: z.array(z.string()) }),
});

/**
 * Whether a device that a merchant's licence server vouches for may have a licence; with a registration token it is bound.
 * Asked again it is judged again. Refuses with `unavailable` where it cannot be judged.
 */
export const verifyLicense = defineRequest({
  name: 'license-server.verify',
  service: 'license-server',
  input: licenseQuestion.extend({ merchantId }),
  output: licenseVerdict,
});

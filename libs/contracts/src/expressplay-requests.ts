import { z } from 'zod';
import { defineRequest } from './request-contract.js';
import { contentTokenView, cookieRef, cookieView, deviceRecord } from './resources.js';
import { contentId, contentKey, cookie, deviceId, durationSeconds, kid, merchantId, rights, timestamp } from './vocabulary.js';

/** How many records or stored keys one request is answered with at most. */
export const EXPRESSPLAY_PAGE_MAX = 32;

/**
 * A cookie that the merchant made up itself, as ExpressPlay has them: made where it is new, for an account of its own and
 * for as long as a cookie may live; shown as it stands where it exists.
 */
export const adoptCookie = defineRequest({ name: 'cookie.adopt', service: 'cookie', input: cookieRef, output: cookieView });

/** Records of a merchant in the order in which its devices registered, from the `start`th; without `start` the last ones. */
export const listRecords = defineRequest({
  name: 'device-registry.records',
  service: 'device-registry',
  input: z.object({ merchantId, start: z.int().min(0).optional(), length: z.int().min(1).max(EXPRESSPLAY_PAGE_MAX) }),
  output: z.object({ records: z.array(deviceRecord) }),
});

/**
 * Issues the one content token of what is bought here: the same cookie, kid and type of rights is the same sale, whether it
 * is asked for again or a purchase of it comes by event, before or after. It is answered with the token that stands, or
 * with its renewal: neither `rights` nor `contentId` nor `ttlSeconds` of a repeated request change a token that stands. Where
 * a rental is over, it is another sale. Refuses as `POST /v1/tokens` does, and with `purchase-refunded`.
 */
export const issueCorrelatedToken = defineRequest({
  name: 'token-issuer.correlated-token',
  service: 'token-issuer',
  input: z.object({ merchantId, cookie, deviceId, contentId, kid, key: contentKey, rights, ttlSeconds: durationSeconds }),
  output: contentTokenView,
});

/**
 * The live token of what was bought of a content with a cookie: of the newest purchase that is neither refunded nor over, or else
 * of the newest. Refuses with `purchase-unknown`, and as the token of that purchase would be.
 */
export const getContentToken = defineRequest({
  name: 'token-issuer.content-token',
  service: 'token-issuer',
  input: z.object({ merchantId, cookie, contentId }),
  output: contentTokenView,
});

/** PostgreSQL takes no NUL. */
const text = z.string().max(1024).refine((value) => !value.includes('\0'), 'must hold no NUL');

/** A content key in a merchant's key store: wrapped (RFC 3394) under a KEK that is the merchant's and never stored. */
export const storedKey = z.object({
  kid,
  /** The key under its KEK: 24 bytes as hex. */
  ek: z.string().regex(/^[0-9a-f]{48}$/),
  kekId: text,
  info: text.optional(),
  contentId: text.optional(),
  expiration: timestamp.optional(),
  lastUpdate: timestamp,
});
/** A content key in a merchant's key store. */
export type StoredKey = z.infer<typeof storedKey>;

/** Stores keys, all or none. Refuses with `stored-key-exists`. */
export const storeKeys = defineRequest({
  name: 'token-issuer.store-keys',
  service: 'token-issuer',
  input: z.object({ merchantId, keys: z.array(storedKey.omit({ lastUpdate: true })).min(1).max(EXPRESSPLAY_PAGE_MAX) }),
  output: z.object({ keys: z.array(storedKey) }),
});

/**
 * Changes what is said of a stored key and leaves the rest, in one step: of two changes at once neither undoes the other, and
 * none brings a key back that was removed meanwhile. Answers no key where none is stored.
 */
export const changeStoredKey = defineRequest({
  name: 'token-issuer.change-stored-key',
  service: 'token-issuer',
  input: z.object({ merchantId, kid, change: storedKey.omit({ kid: true, lastUpdate: true }).partial() }),
  output: z.object({ key: storedKey.optional() }),
});

/** Keys of the store: those of these kids, unknown ones left out, or the last ones that were stored. */
export const getStoredKeys = defineRequest({
  name: 'token-issuer.stored-keys',
  service: 'token-issuer',
  input: z.object({ merchantId, kids: z.array(kid).min(1).max(EXPRESSPLAY_PAGE_MAX).optional() }),
  output: z.object({ keys: z.array(storedKey) }),
});

/** Removes keys from the store; answers those that were there. Tokens that were issued go on working. */
export const deleteStoredKeys = defineRequest({
  name: 'token-issuer.delete-stored-keys',
  service: 'token-issuer',
  input: z.object({ merchantId, kids: z.array(kid).min(1).max(EXPRESSPLAY_PAGE_MAX) }),
  output: z.object({ kids: z.array(kid) }),
});

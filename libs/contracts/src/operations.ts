import { z } from 'zod';
import { createLicense, deviceTokensUrlOf, showDeviceTokens, showJwks } from './device-operations.js';
import { example } from './examples-of-bodies.js';
import { verifyLicense } from './license-verification.js';
import { defineOperation, scopes } from './operation-contract.js';
import { createPurchase, createRefund, showPurchase, showPurchaseToken } from './purchase-operations.js';
import { accountDevice, contentTokenView, cookieView, deviceRecord, registrationTokenView } from './resources.js';
import { idempotencyKey } from './requests.js';
import { accountId, contentId, contentKey, cookie, deviceId, durationSeconds, kid, kids, merchantId, reason, rights } from './vocabulary.js';
import { createWebhook, deleteWebhook, listDeliveries, listWebhooks, redeliver, rotateWebhookSecret, showWebhook } from './webhook-operations.js';

const idempotent = z.object({ 'idempotency-key': idempotencyKey.optional() });
const byCookie = z.object({ cookie });

/** 30 days, the longest that a cookie or a content token lives. */
export const LIFETIME_SECONDS_MAX = 30 * 24 * 3600;

/** `POST /v1/cookies`. */
export const createCookie = defineOperation({
  id: 'createCookie',
  server: 'gateway',
  method: 'POST',
  path: '/v1/cookies',
  summary: 'Make a cookie for an account: the opaque value that will tie a device to it',
  security: { kind: 'api-key', scope: 'cookies' },
  headers: idempotent,
  body: z.strictObject({ accountId, ttlSeconds: durationSeconds.max(LIFETIME_SECONDS_MAX).optional() }).meta({ examples: [{ accountId: 'alice' }] }),
  answers: { 201: { description: 'The cookie', schema: cookieView } },
  refusals: ['idempotency-key-differs'],
});

/** `GET /v1/cookies/{cookie}`. */
export const showCookie = defineOperation({
  id: 'showCookie',
  server: 'gateway',
  method: 'GET',
  path: '/v1/cookies/{cookie}',
  summary: 'Show a cookie',
  security: { kind: 'api-key', scope: 'cookies' },
  params: byCookie,
  answers: { 200: { description: 'The cookie', schema: cookieView } },
  refusals: ['cookie-unknown', 'rate-limited'],
});

/** `POST /v1/registration-tokens`. The cookie may stand in the body, the query or a header; two that differ are refused. */
export const createRegistrationToken = defineOperation({
  id: 'createRegistrationToken',
  server: 'gateway',
  method: 'POST',
  path: '/v1/registration-tokens',
  summary: 'Ask for a registration token, with which a device binds itself to the cookie',
  security: { kind: 'api-key', scope: 'tokens' },
  query: z.strictObject({ cookie: cookie.optional() }),
  headers: z.object({ 'x-latchkey-cookie': cookie.optional() }),
  body: z.strictObject({ cookie: cookie.optional(), deviceId: deviceId.optional() }).meta({ examples: [{ cookie: example.cookie }] }),
  bodyOptional: true,
  answers: { 201: { description: 'The registration token', schema: registrationTokenView } },
  refusals: ['cookie-unknown', 'cookie-expired', 'cookie-bound', 'unsupported-upstream', 'rate-limited'],
});

/** `GET /v1/cookies/{cookie}/device`: record retrieval. */
export const showDeviceRecord = defineOperation({
  id: 'showDeviceRecord',
  server: 'gateway',
  method: 'GET',
  path: '/v1/cookies/{cookie}/device',
  summary: 'Record retrieval: the device that is bound to the cookie',
  security: { kind: 'api-key', scope: 'devices' },
  params: byCookie,
  answers: { 200: { description: 'The record', schema: deviceRecord } },
  refusals: ['cookie-unknown', 'device-not-registered', 'rate-limited'],
});

/** `PUT /v1/content-keys/{kid}`. */
export const storeContentKey = defineOperation({
  id: 'storeContentKey',
  server: 'gateway',
  method: 'PUT',
  path: '/v1/content-keys/{kid}',
  summary: 'Store a content key; it is wrapped before it is written',
  security: { kind: 'api-key', scope: 'keys' },
  params: z.object({ kid }),
  body: z.strictObject({ key: contentKey, contentId: contentId.optional() }).meta({ examples: [{ key: example.key, contentId: 'film-42' }] }),
  answers: { 201: { description: 'Stored' }, 204: { description: 'The same key is stored already' } },
  refusals: ['content-key-differs'],
});

/** `POST /v1/tokens`. */
export const createToken = defineOperation({
  id: 'createToken',
  server: 'gateway',
  method: 'POST',
  path: '/v1/tokens',
  summary: 'Ask for a content token without a purchase',
  security: { kind: 'api-key', scope: 'tokens' },
  headers: idempotent,
  body: z
    .strictObject({
      cookie,
      deviceId: deviceId.optional(),
      contentId,
      kids,
      rights,
      keys: z.record(kid, contentKey).optional(),
      ttlSeconds: durationSeconds.max(LIFETIME_SECONDS_MAX).optional(),
    })
    .superRefine((body, context) => {
      // Such a key would be stored by a call that never used it, and a mistyped kid would go unnoticed.
      for (const each of Object.keys(body.keys ?? {})) {
        if (!body.kids.includes(each)) context.addIssue({ code: 'custom', path: ['keys', each], message: 'is a key of none of the kids' });
      }
    })
    .meta({ examples: [{ ...example.bought, keys: { [example.kid]: example.key }, ttlSeconds: 3600 }] }),
  answers: { 201: { description: 'The token', schema: contentTokenView } },
  refusals: [
    'cookie-unknown',
    { code: 'device-not-registered', status: 409 },
    'device-mismatch',
    'device-confidence-refused',
    'unsupported-upstream',
    { code: 'device-revoked', status: 409 },
    'kid-unknown',
    'content-key-differs',
    'idempotency-key-differs',
    'rate-limited',
  ],
});

/** `GET /v1/accounts/{accountId}/devices`. */
export const showAccountDevices = defineOperation({
  id: 'showAccountDevices',
  server: 'gateway',
  method: 'GET',
  path: '/v1/accounts/{accountId}/devices',
  summary: 'List the devices of an account',
  security: { kind: 'api-key', scope: 'devices' },
  params: z.object({ accountId }),
  answers: { 200: { description: 'The devices', schema: z.object({ devices: z.array(accountDevice) }) } },
  refusals: [],
});

/** `POST /v1/devices/{deviceId}/revoke`. */
export const createRevocation = defineOperation({
  id: 'createRevocation',
  server: 'gateway',
  method: 'POST',
  path: '/v1/devices/{deviceId}/revoke',
  summary: 'Revoke a device, for good: every token bound to it stops working',
  security: { kind: 'api-key', scope: 'devices' },
  params: z.object({ deviceId }),
  body: z.strictObject({ reason: reason.optional() }).meta({ examples: [{ reason: 'sold' }] }),
  bodyOptional: true,
  answers: { 202: { description: 'Revoked', schema: z.object({ deviceId, state: z.literal('revoked') }) } },
  refusals: ['device-unknown'],
});

/** `GET /v1/merchant`. */
export const showMerchant = defineOperation({
  id: 'showMerchant',
  server: 'gateway',
  method: 'GET',
  path: '/v1/merchant',
  summary: 'Show whose API key this is and what it may do',
  security: { kind: 'api-key' },
  answers: { 200: { description: 'The merchant', schema: z.object({ merchantId, scopes: z.array(z.enum(scopes)) }) } },
  refusals: [],
});

/** `GET /v1/events`. */
export const streamEvents = defineOperation({
  id: 'streamEvents',
  server: 'gateway',
  method: 'GET',
  path: '/v1/events',
  summary: 'Follow the merchant’s purchase, token, device and licence events (server-sent events)',
  security: { kind: 'api-key' },
  headers: z.object({ 'last-event-id': z.string().regex(/^[0-9]{1,18}$/, 'must be an id that this stream gave').optional() }),
  answers: { 200: { description: 'The stream; `id` is a number that only grows, `event` the type, `data` the event’s data', mediaType: 'text/event-stream' } },
  refusals: [],
});

/** Every HTTP call of the public surface, in the order of the reference. */
export const operations = [
  createCookie,
  showCookie,
  createRegistrationToken,
  showDeviceRecord,
  storeContentKey,
  createPurchase,
  showPurchase,
  showPurchaseToken,
  createRefund,
  createToken,
  verifyLicense,
  showAccountDevices,
  createRevocation,
  showMerchant,
  streamEvents,
  createWebhook,
  listWebhooks,
  showWebhook,
  deleteWebhook,
  rotateWebhookSecret,
  listDeliveries,
  redeliver,
  createLicense,
  showDeviceTokens,
  showJwks,
] as const;

export { createLicense, createPurchase, createRefund, deviceTokensUrlOf, showDeviceTokens, showJwks, showPurchase, showPurchaseToken, verifyLicense };
export * from './webhook-operations.js';

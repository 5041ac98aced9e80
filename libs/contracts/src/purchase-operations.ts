import { z } from 'zod';
import { example } from './examples-of-bodies.js';
import { defineOperation } from './operation-contract.js';
import { contentTokenView, purchaseView } from './resources.js';
import { contentId, cookie, deviceId, kids, purchaseId, reason, rights, timestamp } from './vocabulary.js';

const byPurchase = z.object({ purchaseId });

/** `POST /v1/purchases`. */
export const createPurchase = defineOperation({
  id: 'createPurchase',
  server: 'gateway',
  method: 'POST',
  path: '/v1/purchases',
  summary: 'Tell of a purchase; its token is issued as soon as a device is bound to the cookie',
  security: { kind: 'api-key', scope: 'purchases' },
  body: z.strictObject({
    purchaseId,
    cookie,
    deviceId: deviceId.optional(),
    contentId,
    kids,
    rights,
    completedAt: timestamp.optional(),
  }).meta({ examples: [{ purchaseId: 'order-1001', ...example.bought }, { purchaseId: 'order-1002', ...example.bought, rights: example.rental }] }),
  answers: { 202: { description: 'Accepted', schema: purchaseView } },
  refusals: [
    'cookie-unknown',
    'cookie-expired',
    'kid-unknown',
    { code: 'device-revoked', status: 409 },
    'device-mismatch',
    'device-confidence-refused',
    'unsupported-upstream',
    'purchase-refunded',
    'purchase-differs',
    'rate-limited',
  ],
});

/** `GET /v1/purchases/{purchaseId}`. */
export const showPurchase = defineOperation({
  id: 'showPurchase',
  server: 'gateway',
  method: 'GET',
  path: '/v1/purchases/{purchaseId}',
  summary: 'Show where a purchase stands',
  security: { kind: 'api-key', scope: 'purchases' },
  params: byPurchase,
  answers: { 200: { description: 'The purchase', schema: purchaseView } },
  refusals: ['purchase-unknown'],
});

/** `GET /v1/purchases/{purchaseId}/token`. */
export const showPurchaseToken = defineOperation({
  id: 'showPurchaseToken',
  server: 'gateway',
  method: 'GET',
  path: '/v1/purchases/{purchaseId}/token',
  summary: 'Collect the token of a purchase, waiting for it if asked to',
  security: { kind: 'api-key', scope: 'tokens' },
  params: byPurchase,
  query: z.strictObject({ waitSeconds: z.string().regex(/^(?:[0-9]|[12][0-9]|30)$/, 'must be a whole number from 0 to 30').optional() }),
  answers: { 200: { description: 'The token', schema: contentTokenView } },
  refusals: [
    'purchase-unknown',
    'token-not-issued',
    'purchase-refunded',
    { code: 'device-revoked', status: 409 },
    'device-mismatch',
    'device-confidence-refused',
    'unsupported-upstream',
    { code: 'cookie-unknown', status: 409 },
    'cookie-expired',
    'kid-unknown',
  ],
});

/** `POST /v1/purchases/{purchaseId}/refund`. */
export const createRefund = defineOperation({
  id: 'createRefund',
  server: 'gateway',
  method: 'POST',
  path: '/v1/purchases/{purchaseId}/refund',
  summary: 'Refund a purchase: its token stops working',
  security: { kind: 'api-key', scope: 'purchases' },
  params: byPurchase,
  body: z.strictObject({ reason: reason.optional() }).meta({ examples: [{ reason: 'changed their mind' }] }),
  bodyOptional: true,
  answers: { 202: { description: 'Refunded', schema: purchaseView } },
  refusals: ['purchase-unknown'],
});

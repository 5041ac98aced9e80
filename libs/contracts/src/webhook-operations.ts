import { z } from 'zod';
import { defineOperation } from './operation-contract.js';
import { reason } from './vocabulary.js';
import { deliveriesView, deliveryId, deliveryState, deliveryView, newWebhookView, rotatedSecretView, webhookEventTypes, webhookId, webhookUrl, webhookView } from './webhooks.js';

const byWebhook = z.object({ webhookId });

/** The most deliveries that one page shows. */
export const DELIVERIES_PAGE_MAX = 100;

/** `POST /v1/webhooks`. */
export const createWebhook = defineOperation({
  id: 'createWebhook',
  server: 'gateway',
  method: 'POST',
  path: '/v1/webhooks',
  summary: 'Have events posted to a URL, signed as Standard Webhooks; the secret is shown this once',
  security: { kind: 'api-key', scope: 'admin' },
  body: z.strictObject({ url: webhookUrl, eventTypes: webhookEventTypes.optional(), description: reason.optional() }).meta({
    examples: [{ url: 'https://shop.example/latchkey', eventTypes: ['token.issued.v1', 'purchase.rejected.v1'] }],
  }),
  answers: { 201: { description: 'The webhook and its secret', schema: newWebhookView } },
  refusals: ['webhook-limit-reached', 'webhooks-off'],
});

/** `GET /v1/webhooks`. */
export const listWebhooks = defineOperation({
  id: 'listWebhooks',
  server: 'gateway',
  method: 'GET',
  path: '/v1/webhooks',
  summary: 'List the merchant’s webhooks',
  security: { kind: 'api-key', scope: 'admin' },
  answers: { 200: { description: 'The webhooks, oldest first', schema: z.object({ webhooks: z.array(webhookView) }) } },
  refusals: [],
});

/** `GET /v1/webhooks/{webhookId}`. */
export const showWebhook = defineOperation({
  id: 'showWebhook',
  server: 'gateway',
  method: 'GET',
  path: '/v1/webhooks/{webhookId}',
  summary: 'Show a webhook, without its secret',
  security: { kind: 'api-key', scope: 'admin' },
  params: byWebhook,
  answers: { 200: { description: 'The webhook', schema: webhookView } },
  refusals: ['webhook-unknown'],
});

/** `DELETE /v1/webhooks/{webhookId}`. */
export const deleteWebhook = defineOperation({
  id: 'deleteWebhook',
  server: 'gateway',
  method: 'DELETE',
  path: '/v1/webhooks/{webhookId}',
  summary: 'Remove a webhook with its deliveries; what has not been sent is not sent any more',
  security: { kind: 'api-key', scope: 'admin' },
  params: byWebhook,
  answers: { 204: { description: 'Removed' } },
  refusals: ['webhook-unknown'],
});

/** `POST /v1/webhooks/{webhookId}/secret`. */
export const rotateWebhookSecret = defineOperation({
  id: 'rotateWebhookSecret',
  server: 'gateway',
  method: 'POST',
  path: '/v1/webhooks/{webhookId}/secret',
  summary: 'Make a new secret, shown this once; the one before it signs beside it for a day',
  security: { kind: 'api-key', scope: 'admin' },
  params: byWebhook,
  answers: { 201: { description: 'The new secret', schema: rotatedSecretView } },
  refusals: ['webhook-unknown', 'webhooks-off'],
});

/** `GET /v1/webhooks/{webhookId}/deliveries`. */
export const listDeliveries = defineOperation({
  id: 'listDeliveries',
  server: 'gateway',
  method: 'GET',
  path: '/v1/webhooks/{webhookId}/deliveries',
  summary: 'List what was, or will be, sent to a webhook: newest event first, those before `before` where that is given',
  security: { kind: 'api-key', scope: 'admin' },
  params: byWebhook,
  query: z.strictObject({
    state: deliveryState.optional(),
    before: z.string().regex(/^[0-9]{1,18}$/, 'must be an eventId that this list gave').optional(),
    limit: z.string().regex(/^(?:[1-9][0-9]?|100)$/, `must be a whole number from 1 to ${DELIVERIES_PAGE_MAX}`).optional(),
  }),
  answers: { 200: { description: 'A page of deliveries', schema: deliveriesView } },
  refusals: ['webhook-unknown'],
});

/** `POST /v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver`. */
export const redeliver = defineOperation({
  id: 'redeliver',
  server: 'gateway',
  method: 'POST',
  path: '/v1/webhooks/{webhookId}/deliveries/{deliveryId}/redeliver',
  summary: 'Send a delivery again, under the same webhook-id and as often as a new one would be tried',
  security: { kind: 'api-key', scope: 'admin' },
  params: z.object({ webhookId, deliveryId }),
  answers: { 202: { description: 'It is about to be sent', schema: deliveryView } },
  refusals: ['webhook-unknown', 'delivery-unknown'],
});

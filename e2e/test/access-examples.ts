import { eventually, FakeDevice } from '@latchkey/kits';
import { hex, type Merchant } from './merchant.js';

/** What belongs to the one merchant whom the others must not see. */
export interface Belongings {
  readonly cookie: string;
  readonly deviceId: string;
  readonly kid: string;
  readonly purchaseId: string;
  readonly token: string;
  readonly webhookId: string;
  readonly deliveryId: string;
}

/** How one operation is called rightly with what belongs to a merchant, and what another merchant with a good key is told. */
export interface AccessExample {
  readonly path?: (own: Belongings) => string;
  readonly body?: (own: Belongings) => object;
  /** What the owner is answered. */
  readonly answer: string;
  /** What another merchant is answered: its own, empty corner where the call names nothing of the owner's. */
  readonly foreign: string;
}

const rights = { type: 'purchase' };

/** Nobody has such a name (RFC 2606), so that nothing is ever sent there. */
const webhookUrl = 'https://merchant.invalid/latchkey';

/** By operation id. The last three end what the others need, so they are called last. */
export const accessExamples: Readonly<Record<string, AccessExample>> = {
  createCookie: { body: () => ({ accountId: 'alice' }), answer: '201', foreign: '201' },
  showCookie: { path: ({ cookie }) => `/v1/cookies/${cookie}`, answer: '200', foreign: '404 cookie-unknown' },
  createRegistrationToken: { body: ({ cookie }) => ({ cookie }), answer: '409 cookie-bound', foreign: '404 cookie-unknown' },
  showDeviceRecord: { path: ({ cookie }) => `/v1/cookies/${cookie}/device`, answer: '200', foreign: '404 cookie-unknown' },
  // The owner has another key under this kid. That nobody else learns of it is what is wanted here.
  storeContentKey: { path: ({ kid }) => `/v1/content-keys/${kid}`, body: () => ({ key: '0'.repeat(32) }), answer: '409 content-key-differs', foreign: '201' },
  createPurchase: {
    body: ({ cookie, kid, purchaseId }) => ({ purchaseId, cookie, contentId: 'film', kids: [kid], rights }),
    answer: '202',
    foreign: '404 cookie-unknown',
  },
  showPurchase: { path: ({ purchaseId }) => `/v1/purchases/${purchaseId}`, answer: '200', foreign: '404 purchase-unknown' },
  showPurchaseToken: { path: ({ purchaseId }) => `/v1/purchases/${purchaseId}/token`, answer: '200', foreign: '404 purchase-unknown' },
  createToken: { body: ({ cookie, kid }) => ({ cookie, contentId: 'film', kids: [kid], rights }), answer: '201', foreign: '404 cookie-unknown' },
  // A device that proves its key has a token that no licence server may use on its word; nor may another merchant's.
  verifyLicense: { body: ({ deviceId, kid, token }) => ({ token, deviceId, drm: 'other', kids: [kid] }), answer: '200', foreign: '200' },
  showAccountDevices: { path: () => '/v1/accounts/alice/devices', answer: '200', foreign: '200' },
  showMerchant: { answer: '200', foreign: '200' },
  streamEvents: { answer: '200', foreign: '200' },
  createWebhook: { body: () => ({ url: webhookUrl }), answer: '201', foreign: '201' },
  listWebhooks: { path: () => '/v1/webhooks', answer: '200', foreign: '200' },
  showWebhook: { path: ({ webhookId }) => `/v1/webhooks/${webhookId}`, answer: '200', foreign: '404 webhook-unknown' },
  rotateWebhookSecret: { path: ({ webhookId }) => `/v1/webhooks/${webhookId}/secret`, answer: '201', foreign: '404 webhook-unknown' },
  listDeliveries: { path: ({ webhookId }) => `/v1/webhooks/${webhookId}/deliveries`, answer: '200', foreign: '404 webhook-unknown' },
  redeliver: { path: ({ webhookId, deliveryId }) => `/v1/webhooks/${webhookId}/deliveries/${deliveryId}/redeliver`, answer: '202', foreign: '404 webhook-unknown' },
  deleteWebhook: { path: ({ webhookId }) => `/v1/webhooks/${webhookId}`, answer: '204', foreign: '404 webhook-unknown' },
  createRefund: { path: ({ purchaseId }) => `/v1/purchases/${purchaseId}/refund`, body: () => ({}), answer: '202', foreign: '404 purchase-unknown' },
  createRevocation: { path: ({ deviceId }) => `/v1/devices/${deviceId}/revoke`, body: () => ({}), answer: '202', foreign: '404 device-unknown' },
};

/** Gives a merchant something of everything that calls can name. */
export async function belongingsOf(merchant: Merchant): Promise<Belongings> {
  const device = new FakeDevice();
  const webhookId = String((await merchant.expect(201, '/v1/webhooks', { url: webhookUrl, eventTypes: ['token.issued.v1'] }))['webhookId']);
  const cookie = await merchant.cookie('alice');
  const registered = await merchant.register(device, cookie);
  if (registered !== 200) throw new Error(`the device was answered ${registered}`);
  const { kid } = await merchant.contentKey();
  const purchaseId = `order-${hex()}`;
  await merchant.expect(202, '/v1/purchases', { purchaseId, cookie, contentId: 'film', kids: [kid], rights });
  const { token } = await merchant.token(purchaseId);
  const deliveryId = await eventually(async () => {
    const { deliveries } = (await merchant.expect(200, `/v1/webhooks/${webhookId}/deliveries`)) as { deliveries: { deliveryId: string }[] };
    if (!deliveries[0]) throw new Error('the webhook has no delivery yet');
    return deliveries[0].deliveryId;
  });
  return { cookie, deviceId: device.deviceId, kid, purchaseId, token, webhookId, deliveryId };
}

import {
  DeviceRegistered,
  DeviceRevoked,
  hear,
  PurchaseCompleted,
  PurchaseRefunded,
  PurchaseRejected,
  type ServiceMessaging,
  SigningKeyPublished,
  TokenIssued,
  TokenRevoked,
} from '@latchkey/contracts';

export const purchaseCompleted = hear(PurchaseCompleted, [
  'merchantId',
  'purchaseId',
  'cookie',
  'deviceId',
  'contentId',
  'kids',
  'rights',
  'completedAt',
]);
export const purchaseRefunded = hear(PurchaseRefunded, ['merchantId', 'purchaseId', 'reason', 'refundedAt']);
export const deviceRegistered = hear(DeviceRegistered, ['merchantId', 'cookie', 'accountId', 'deviceId', 'evidence', 'registeredAt']);
export const deviceRevoked = hear(DeviceRevoked, ['merchantId', 'deviceId', 'revokedAt']);

/** Everything that this service hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'token-issuer',
  hears: [purchaseCompleted, purchaseRefunded, deviceRegistered, deviceRevoked],
  says: [TokenIssued, TokenRevoked, PurchaseRejected, SigningKeyPublished],
  asks: ['cookie', 'device-registry', 'license-server'],
};

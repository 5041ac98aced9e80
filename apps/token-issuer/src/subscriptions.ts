import {
  DeviceRegistered,
  DeviceRevoked,
  hear,
  hearCopy,
  passOn,
  PurchaseCompleted,
  PurchaseRefunded,
  PurchaseRejected,
  say,
  type ServiceMessaging,
  SigningKeyPublished,
  SigningKeyRetired,
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
export const deviceRegistered = hear(DeviceRegistered, ['merchantId', 'cookie', 'accountId', 'deviceId', 'evidence', 'confidence', 'registeredAt']);
export const deviceRevoked = hearCopy(DeviceRevoked, ['merchantId', 'deviceId', 'revokedAt']);

/** Everything that this service hears, says and asks. */
export const messaging: ServiceMessaging = {
  service: 'token-issuer',
  hears: [purchaseCompleted, purchaseRefunded, deviceRegistered, deviceRevoked],
  says: [
    say(TokenIssued),
    say(TokenRevoked, ['gateway']),
    say(PurchaseRejected),
    say(SigningKeyPublished),
    say(SigningKeyRetired),
    passOn(PurchaseCompleted, ['gateway']),
    passOn(PurchaseRefunded, ['gateway']),
  ],
  asks: ['cookie', 'device-registry', 'license-server'],
};

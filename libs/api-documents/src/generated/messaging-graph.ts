import type { MessagingGraph } from '../messaging-graph.js';

/** Made by `npm run generate` from every service's subscriptions.ts; a check fails when it drifts. Do not edit. */
export const messagingGraph: MessagingGraph = [
  {
    service: 'gateway',
    hears: [
      { event: 'PurchaseRejected', by: 'original', fields: ['merchantId', 'purchaseId', 'code', 'detail'] },
      { event: 'TokenIssued', by: 'original', fields: ['merchantId', 'tokenId', 'purchaseId', 'cookie', 'deviceId', 'contentId', 'kids', 'expiresAt'] },
      { event: 'LicenseGranted', by: 'original', fields: ['merchantId', 'tokenId', 'cookie', 'deviceId', 'kids', 'at'] },
      { event: 'LicenseDenied', by: 'original', fields: ['merchantId', 'tokenId', 'cookie', 'deviceId', 'kids', 'at', 'code'] },
      { event: 'DeviceRegistered', by: 'copy', fields: ['merchantId', 'cookie', 'accountId', 'deviceId', 'evidence', 'confidence', 'registeredAt'] },
      { event: 'DeviceRevoked', by: 'copy', fields: ['merchantId', 'deviceId', 'accountId', 'reason', 'revokedAt'] },
      { event: 'PurchaseCompleted', by: 'copy', fields: ['merchantId', 'purchaseId', 'cookie', 'deviceId', 'contentId', 'kids', 'rights', 'completedAt'] },
      { event: 'PurchaseRefunded', by: 'copy', fields: ['merchantId', 'purchaseId', 'reason', 'refundedAt'] },
      { event: 'TokenRevoked', by: 'copy', fields: ['merchantId', 'tokenId', 'purchaseId', 'reason', 'revokedAt', 'expiresAt'] },
    ],
    says: [],
    asks: ['cookie', 'device-registry', 'token-issuer', 'license-server'],
  },
  {
    service: 'cookie',
    hears: [
      { event: 'DeviceRegistered', by: 'copy', fields: ['merchantId', 'cookie', 'registeredAt'] },
    ],
    says: [
      { event: 'CookieIssued', copiesTo: [], passedOn: false },
    ],
    asks: ['device-registry'],
  },
  {
    service: 'device-registry',
    hears: [
      { event: 'CookieIssued', by: 'original', fields: ['merchantId', 'cookie', 'expiresAt'] },
    ],
    says: [
      { event: 'DeviceRegistered', copiesTo: ['cookie', 'gateway'], passedOn: false },
      { event: 'DeviceRevoked', copiesTo: ['token-issuer', 'gateway'], passedOn: false },
    ],
    asks: ['cookie'],
  },
  {
    service: 'token-issuer',
    hears: [
      { event: 'PurchaseCompleted', by: 'original', fields: ['merchantId', 'purchaseId', 'cookie', 'deviceId', 'contentId', 'kids', 'rights', 'completedAt'] },
      { event: 'PurchaseRefunded', by: 'original', fields: ['merchantId', 'purchaseId', 'reason', 'refundedAt'] },
      { event: 'DeviceRegistered', by: 'original', fields: ['merchantId', 'cookie', 'accountId', 'deviceId', 'evidence', 'confidence', 'registeredAt'] },
      { event: 'DeviceRevoked', by: 'copy', fields: ['merchantId', 'deviceId', 'revokedAt'] },
    ],
    says: [
      { event: 'TokenIssued', copiesTo: [], passedOn: false },
      { event: 'TokenRevoked', copiesTo: ['gateway'], passedOn: false },
      { event: 'PurchaseRejected', copiesTo: [], passedOn: false },
      { event: 'SigningKeyPublished', copiesTo: [], passedOn: false },
      { event: 'SigningKeyRetired', copiesTo: [], passedOn: false },
      { event: 'PurchaseCompleted', copiesTo: ['gateway'], passedOn: true },
      { event: 'PurchaseRefunded', copiesTo: ['gateway'], passedOn: true },
    ],
    asks: ['cookie', 'device-registry', 'license-server'],
  },
  {
    service: 'license-server',
    hears: [
      { event: 'TokenRevoked', by: 'original', fields: ['merchantId', 'tokenId', 'expiresAt'] },
      { event: 'DeviceRevoked', by: 'original', fields: ['merchantId', 'deviceId'] },
      { event: 'SigningKeyPublished', by: 'original', fields: ['keyId', 'publicJwk', 'publishedAt'] },
      { event: 'SigningKeyRetired', by: 'original', fields: ['keyId', 'trustedUntil'] },
    ],
    says: [
      { event: 'LicenseGranted', copiesTo: [], passedOn: false },
      { event: 'LicenseDenied', copiesTo: [], passedOn: false },
    ],
    asks: ['device-registry', 'token-issuer'],
  },
];

import type { MessagingGraph } from '../messaging-graph.js';

/** Made by `npm run generate` from every service's subscriptions.ts; a check fails when it drifts. Do not edit. */
export const messagingGraph: MessagingGraph = [
  {
    service: 'gateway',
    hears: [
      { event: 'DeviceRegistered', fields: ['merchantId', 'cookie', 'accountId', 'deviceId', 'evidence', 'registeredAt'] },
      { event: 'DeviceRevoked', fields: ['merchantId', 'deviceId', 'accountId', 'reason', 'revokedAt'] },
      { event: 'PurchaseCompleted', fields: ['merchantId', 'purchaseId', 'cookie', 'deviceId', 'contentId', 'kids', 'rights', 'completedAt'] },
      { event: 'PurchaseRefunded', fields: ['merchantId', 'purchaseId', 'reason', 'refundedAt'] },
      { event: 'PurchaseRejected', fields: ['merchantId', 'purchaseId', 'code', 'detail'] },
      { event: 'TokenIssued', fields: ['merchantId', 'tokenId', 'purchaseId', 'cookie', 'deviceId', 'contentId', 'kids', 'expiresAt'] },
      { event: 'TokenRevoked', fields: ['merchantId', 'tokenId', 'purchaseId', 'reason', 'revokedAt', 'expiresAt'] },
      { event: 'LicenseGranted', fields: ['merchantId', 'tokenId', 'cookie', 'deviceId', 'kids', 'at'] },
      { event: 'LicenseDenied', fields: ['merchantId', 'tokenId', 'cookie', 'deviceId', 'kids', 'at', 'code'] },
    ],
    says: [],
    asks: ['cookie', 'device-registry', 'token-issuer'],
  },
  {
    service: 'cookie',
    hears: [
      { event: 'DeviceRegistered', fields: ['merchantId', 'cookie', 'registeredAt'] },
    ],
    says: ['CookieIssued'],
    asks: ['device-registry'],
  },
  {
    service: 'device-registry',
    hears: [
      { event: 'CookieIssued', fields: ['merchantId', 'cookie', 'expiresAt'] },
    ],
    says: ['DeviceRegistered', 'DeviceRevoked'],
    asks: ['cookie'],
  },
  {
    service: 'token-issuer',
    hears: [
      { event: 'PurchaseCompleted', fields: ['merchantId', 'purchaseId', 'cookie', 'deviceId', 'contentId', 'kids', 'rights', 'completedAt'] },
      { event: 'PurchaseRefunded', fields: ['merchantId', 'purchaseId', 'reason', 'refundedAt'] },
      { event: 'DeviceRegistered', fields: ['merchantId', 'cookie', 'accountId', 'deviceId', 'evidence', 'registeredAt'] },
      { event: 'DeviceRevoked', fields: ['merchantId', 'deviceId', 'revokedAt'] },
    ],
    says: ['TokenIssued', 'TokenRevoked', 'PurchaseRejected', 'SigningKeyPublished'],
    asks: ['cookie', 'device-registry', 'license-server'],
  },
  {
    service: 'license-server',
    hears: [
      { event: 'TokenRevoked', fields: ['merchantId', 'tokenId', 'expiresAt'] },
      { event: 'DeviceRevoked', fields: ['merchantId', 'deviceId'] },
      { event: 'SigningKeyPublished', fields: ['keyId', 'publicJwk', 'publishedAt'] },
    ],
    says: ['LicenseGranted', 'LicenseDenied'],
    asks: ['device-registry'],
  },
];

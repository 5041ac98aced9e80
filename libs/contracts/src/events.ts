import { z } from 'zod';
import { defineEvent } from './event-contract.js';
import {
  accountId,
  confidence,
  contentId,
  cookie,
  deviceId,
  evidence,
  kid,
  kids,
  merchantId,
  purchaseId,
  reason,
  reasonInEvents,
  rightsInEvents,
  timestamp,
} from './vocabulary.js';

const tokenId = z.string().min(1).max(64);
const code = z.string().min(1).max(64);

const at = '2026-11-23T12:00:00.000Z';
const later = '2026-11-24T12:00:00.000Z';
const example = {
  merchantId: 'default',
  purchaseId: 'order-1001',
  cookie: 'Xq3mJ7dEwq0VvZ8n1yH2tA',
  accountId: 'alice',
  deviceId: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I',
  contentId: 'film-42',
  kids: ['0123456789abcdef0123456789abcdef'],
  tokenId: 'tok_5c1Jm3v0QeW8yXo2LrT9aA',
};
const { merchantId: merchant, purchaseId: purchase, cookie: biscuit, accountId: account, deviceId: device } = example;

/** A checkout says that a customer paid. */
export const PurchaseCompleted = defineEvent({
  name: 'PurchaseCompleted',
  type: 'purchase.completed.v1',
  description: 'A customer paid. Published by the checkout, for its own merchant.',
  schema: z.object({
    merchantId,
    purchaseId,
    cookie,
    deviceId: deviceId.optional(),
    contentId,
    kids,
    rights: rightsInEvents,
    completedAt: timestamp,
  }),
  example: {
    merchantId: merchant,
    purchaseId: purchase,
    cookie: biscuit,
    contentId: example.contentId,
    kids: example.kids,
    rights: { type: 'purchase' },
    completedAt: at,
  },
});

/** A checkout says that a purchase was given back. */
export const PurchaseRefunded = defineEvent({
  name: 'PurchaseRefunded',
  urgent: true,
  type: 'purchase.refunded.v1',
  description: 'A purchase was given back; its token stops working. May come before its purchase, and then wins.',
  schema: z.object({ merchantId, purchaseId, reason: reasonInEvents.optional(), refundedAt: timestamp }),
  example: { merchantId: merchant, purchaseId: purchase, reason: 'customer request', refundedAt: at },
});

/** A cookie was made for an account. */
export const CookieIssued = defineEvent({
  name: 'CookieIssued',
  type: 'cookie.issued.v1',
  description: 'A cookie was made for an account.',
  schema: z.object({ merchantId, cookie, accountId, expiresAt: timestamp }),
  example: { merchantId: merchant, cookie: biscuit, accountId: account, expiresAt: later },
});

/** A device was bound to a cookie. */
export const DeviceRegistered = defineEvent({
  name: 'DeviceRegistered',
  type: 'device.registered.v1',
  description: 'A device was bound to a cookie: the first that came with its registration token.',
  schema: z.object({ merchantId, cookie, accountId, deviceId, evidence, confidence: confidence.optional(), registeredAt: timestamp }),
  example: { merchantId: merchant, cookie: biscuit, accountId: account, deviceId: device, evidence: 'proof', confidence: 'proof', registeredAt: at },
});

/** A device was revoked, for good. */
export const DeviceRevoked = defineEvent({
  name: 'DeviceRevoked',
  urgent: true,
  type: 'device.revoked.v1',
  description: 'A device was revoked, for good. Every token bound to it stops working.',
  schema: z.object({ merchantId, deviceId, accountId, reason: reason.optional(), revokedAt: timestamp }),
  example: { merchantId: merchant, deviceId: device, accountId: account, reason: 'reported stolen', revokedAt: at },
});

/**
 * A content token was issued. The event never holds the token or a key. Of a token that was issued before its purchase came
 * it is told once more, with the purchase.
 */
export const TokenIssued = defineEvent({
  name: 'TokenIssued',
  type: 'token.issued.v1',
  description:
    'A content token was issued for a device. The event holds neither the token nor a key. Of a token that was issued before its purchase came it is told once more, with `purchaseId`.',
  schema: z.object({
    merchantId,
    tokenId,
    purchaseId: purchaseId.optional(),
    cookie,
    deviceId,
    contentId,
    kids,
    expiresAt: timestamp,
  }),
  example: {
    merchantId: merchant,
    tokenId: example.tokenId,
    purchaseId: purchase,
    cookie: biscuit,
    deviceId: device,
    contentId: example.contentId,
    kids: example.kids,
    expiresAt: later,
  },
});

/** A content token stopped working before its time. */
export const TokenRevoked = defineEvent({
  name: 'TokenRevoked',
  urgent: true,
  type: 'token.revoked.v1',
  description: 'A content token stopped working before its time: refunded, superseded, or its device revoked.',
  schema: z.object({
    merchantId,
    tokenId,
    purchaseId: purchaseId.optional(),
    reason,
    revokedAt: timestamp,
    expiresAt: timestamp,
  }),
  example: { merchantId: merchant, tokenId: example.tokenId, purchaseId: purchase, reason: 'refunded', revokedAt: at, expiresAt: later },
});

/** A purchase ended without a token. */
export const PurchaseRejected = defineEvent({
  name: 'PurchaseRejected',
  type: 'purchase.rejected.v1',
  description: 'A purchase ended without a token, and why.',
  schema: z.object({ merchantId, purchaseId, code, detail: z.string().max(512) }),
  example: { merchantId: merchant, purchaseId: purchase, code: 'cookie-unknown', detail: 'The cookie is not known' },
});

const licenseData = {
  merchantId,
  tokenId: tokenId.optional(),
  cookie: cookie.optional(),
  deviceId: deviceId.optional(),
  kids: z.array(kid).max(32),
  at: timestamp,
};

/** A licence was given. */
export const LicenseGranted = defineEvent({
  name: 'LicenseGranted',
  type: 'license.granted.v1',
  description: 'A licence was given to the device that its token is bound to.',
  schema: z.object(licenseData),
  example: { merchantId: merchant, tokenId: example.tokenId, cookie: biscuit, deviceId: device, kids: example.kids, at },
});

/** A licence was refused to somebody who held a token of the merchant. */
export const LicenseDenied = defineEvent({
  name: 'LicenseDenied',
  type: 'license.denied.v1',
  description: 'A licence was refused to a request that carried a genuine token of the merchant, and why.',
  schema: z.object({ ...licenseData, code }),
  example: {
    merchantId: merchant,
    tokenId: example.tokenId,
    cookie: biscuit,
    deviceId: device,
    kids: example.kids,
    code: 'invalid-token',
    at,
  },
});

/** A signing key was made. It signs only after every licence server holds its public half. */
export const SigningKeyPublished = defineEvent({
  name: 'SigningKeyPublished',
  urgent: true,
  type: 'signing-key.published.v1',
  description: 'The public half of a signing key that will sign tokens, once the licence servers hold it.',
  schema: z.object({
    keyId: z.string().min(1).max(64),
    publicJwk: z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string() }),
    publishedAt: timestamp,
  }),
  example: {
    keyId: device,
    publicJwk: {
      kty: 'EC',
      crv: 'P-256',
      x: 'l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs',
      y: '9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA',
    },
    publishedAt: at,
  },
});

/** A signing key signs no more. */
export const SigningKeyRetired = defineEvent({
  name: 'SigningKeyRetired',
  urgent: true,
  type: 'signing-key.retired.v1',
  description: 'A signing key signs no more; after `trustedUntil` no token that it signed is valid, and nobody need trust it.',
  schema: z.object({ keyId: z.string().min(1).max(64), retiredAt: timestamp, trustedUntil: timestamp }),
  example: { keyId: device, retiredAt: at, trustedUntil: later },
});

/** Every event, in the order of the story. */
export const events = [
  CookieIssued,
  DeviceRegistered,
  PurchaseCompleted,
  TokenIssued,
  LicenseGranted,
  LicenseDenied,
  PurchaseRejected,
  PurchaseRefunded,
  TokenRevoked,
  DeviceRevoked,
  SigningKeyPublished,
  SigningKeyRetired,
] as const;

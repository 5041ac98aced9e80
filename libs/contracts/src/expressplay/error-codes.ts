import type { ErrorCode } from '../error-codes.js';

interface ExpressPlayCodeEntry {
  readonly status: number;
  readonly meaning: string;
}

/**
 * Every code that the ExpressPlay-shaped surface answers. Codes above -9000 mean what the reference's public documents say
 * that they mean; those below are Latchkey's own, for what those documents have no code for.
 */
export const expressPlayCodes = {
  '-2002': { status: 400, meaning: 'the expiration time of the token is not a time to come within 30 days' },
  '-2005': { status: 400, meaning: 'there is no content key, or another one is stored for the kid' },
  '-2017': { status: 401, meaning: 'no authenticator, or something that has not the form of one' },
  '-2018': { status: 401, meaning: 'the authenticator is not one of a live key, may not do this, or there are two that differ' },
  '-2020': { status: 400, meaning: 'the type of rights is missing' },
  '-2021': { status: 400, meaning: 'there is no such type of rights' },
  '-2022': { status: 400, meaning: 'the end of the rental is missing' },
  '-2023': { status: 400, meaning: 'the play duration of the rental has no value' },
  '-2024': { status: 400, meaning: 'the end of the rental is not a time to come' },
  '-2025': { status: 400, meaning: 'the play duration of the rental is not a number of seconds' },
  '-2027': { status: 400, meaning: 'the content key is not 32 hex digits' },
  '-2033': { status: 400, meaning: 'the cookie is missing, malformed, unknown, expired or bound already, or there are two that differ' },
  '-3004': { status: 400, meaning: 'the error format is neither html nor json' },
  '-4001': { status: 400, meaning: 'the device may have nothing: it is revoked, or too little is known of it' },
  '-4010': { status: 400, meaning: 'the token is missing, malformed, expired, revoked, refunded or not this merchant’s' },
  '-4018': { status: 400, meaning: 'the kid is missing' },
  '-4019': { status: 400, meaning: 'there is no stored key for the kid' },
  '-4020': { status: 400, meaning: 'a kid is neither 32 hex digits nor ^ with a string' },
  '-4021': { status: 400, meaning: 'the string of a kid is longer than 64 characters' },
  '-4022': { status: 400, meaning: 'a kid is not usable: its string is empty or has control characters, or the token is not for it' },
  '-4023': { status: 400, meaning: 'the KEK is missing, or not 32 hex digits' },
  '-4024': { status: 400, meaning: 'the encrypted key and the KEK do not belong together, or one of them is malformed' },
  '-5003': { status: 400, meaning: 'the general flags are not what this DRM takes' },
  '-5004': { status: 400, meaning: 'the device id is not 32 hex digits' },
  '-5005': { status: 400, meaning: 'the device id is missing, malformed, or not that of the device that is bound' },
  '-5007': { status: 400, meaning: 'a KEK and a content key exclude each other' },
  '-6003': { status: 400, meaning: 'the iv is missing, or not 32 hex digits' },
  '-6007': { status: 400, meaning: 'the rental duration is not a number of seconds' },
  '-6008': { status: 400, meaning: 'tokens are not bound to devices for FairPlay here' },
  '-7002': { status: 400, meaning: 'tokens are not bound to devices for Widevine here' },
  '-7003': { status: 400, meaning: 'the security level is missing' },
  '-7004': { status: 400, meaning: 'the security level is none of 1 to 5' },
  '-7005': { status: 400, meaning: 'the HDCP output control is none of 0 to 2' },
  '-7006': { status: 400, meaning: 'the HDCP output control is missing' },
  '-7007': { status: 400, meaning: 'the licence duration is not a number of seconds' },
  '-9400': { status: 400, meaning: 'the request is not as specified' },
  '-9404': { status: 404, meaning: 'there is nothing here' },
  '-9405': { status: 405, meaning: 'the method is not allowed here' },
  '-9406': { status: 400, meaning: 'nothing was bought of this content with this cookie' },
  '-9410': { status: 400, meaning: 'the rental is over' },
  '-9411': { status: 400, meaning: 'the content is not available yet' },
  '-9412': { status: 400, meaning: 'what was bought is refunded' },
  '-9413': { status: 413, meaning: 'the body is too large' },
  '-9415': { status: 415, meaning: 'the body is of a type that is not taken here' },
  '-9429': { status: 429, meaning: 'too many failed attempts' },
  '-9500': { status: 500, meaning: 'something went wrong on our side' },
  '-9503': { status: 503, meaning: 'a part that is needed does not answer' },
} as const satisfies Record<string, ExpressPlayCodeEntry>;

/** A code of the ExpressPlay-shaped surface. */
export type ExpressPlayCode = keyof typeof expressPlayCodes extends `${infer Code extends number}` ? Code : never;

/** The status and the meaning of a code. */
export function expressPlayCodeEntry(code: ExpressPlayCode): ExpressPlayCodeEntry {
  return expressPlayCodes[`${code}`];
}

/** What each error code of Latchkey's is called on this surface. A new one has to be given a name here. */
export const expressPlayCodeOf: Readonly<Record<ErrorCode, ExpressPlayCode>> = {
  'invalid-request': -9400,
  'unknown-member': -9400,
  unauthenticated: -2018,
  'invalid-dpop-proof': -4010,
  'use-dpop-nonce': -4010,
  'invalid-token': -4010,
  forbidden: -2018,
  'cookie-bound-elsewhere': -5005,
  'device-revoked': -4001,
  'kid-not-in-token': -4022,
  'rental-expired': -9410,
  'rental-not-started': -9411,
  'not-found': -9404,
  'cookie-unknown': -2033,
  'device-not-registered': -5005,
  'device-unknown': -5005,
  'purchase-unknown': -9406,
  'token-not-issued': -5005,
  'webhook-unknown': -9404,
  'delivery-unknown': -9404,
  'method-not-allowed': -9405,
  'content-key-differs': -2005,
  'cookie-bound': -2033,
  'cookie-expired': -2033,
  'device-mismatch': -5005,
  'device-confidence-refused': -4001,
  'kid-unknown': -4019,
  'purchase-differs': -9400,
  'purchase-refunded': -9412,
  'stored-key-exists': -9400,
  'unsupported-upstream': -9400,
  'webhook-limit-reached': -9400,
  'payload-too-large': -9413,
  'unsupported-media-type': -9415,
  'idempotency-key-differs': -9400,
  'rate-limited': -9429,
  internal: -9500,
  'webhooks-off': -9500,
  unavailable: -9503,
};

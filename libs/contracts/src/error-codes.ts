/**
 * Every error code that Latchkey answers, in one table. From it come the HTTP status and title of a problem document
 * (RFC 9457), whether a client may repeat the call unchanged (`retryable`), and the generated reference page.
 *
 * A code is never reused for another meaning. `status` is the usual one; a code that the API answers with a second
 * status in another place lists it under `alsoStatus`, so that no third one can slip in.
 */
export const errorCodes = {
  'invalid-request': { status: 400, title: 'The request is not as specified', retryable: false },
  'unknown-member': { status: 400, title: 'The request has a member that is not known', retryable: false },
  unauthenticated: { status: 401, title: 'Credentials are missing or wrong', retryable: false },
  'invalid-dpop-proof': { status: 401, title: 'The DPoP proof is not valid', retryable: true },
  'use-dpop-nonce': { status: 401, title: 'The DPoP proof needs the nonce given here', retryable: true },
  'invalid-token': { status: 401, title: 'The token is not valid', retryable: false },
  forbidden: { status: 403, title: 'The API key lacks the scope for this', retryable: false },
  'cookie-bound-elsewhere': { status: 403, title: 'The cookie is bound to another device', retryable: false },
  'device-revoked': { status: 403, alsoStatus: 409, title: 'The device is revoked', retryable: false },
  'kid-not-in-token': { status: 403, title: 'A key asked for is not in the token', retryable: false },
  'rental-expired': { status: 403, title: 'The rental is over', retryable: false },
  'rental-not-started': { status: 403, title: 'The content is not available yet', retryable: true },
  'not-found': { status: 404, title: 'There is nothing here', retryable: false },
  'cookie-unknown': { status: 404, alsoStatus: 409, title: 'The cookie is not known', retryable: false },
  'device-not-registered': { status: 404, alsoStatus: 409, title: 'No device is bound to the cookie yet', retryable: true },
  'device-unknown': { status: 404, title: 'The device is not known', retryable: false },
  'purchase-unknown': { status: 404, title: 'The purchase is not known', retryable: false },
  'token-not-issued': { status: 404, title: 'The token is not issued yet', retryable: true },
  'webhook-unknown': { status: 404, title: 'The webhook is not known', retryable: false },
  'delivery-unknown': { status: 404, title: 'The delivery is not known', retryable: false },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here', retryable: false },
  'content-key-differs': { status: 409, title: 'Another content key is stored for this kid', retryable: false },
  'cookie-bound': { status: 409, title: 'The cookie is bound to a device already', retryable: false },
  'cookie-expired': { status: 409, title: 'The cookie expired before a device came', retryable: false },
  'device-mismatch': { status: 409, title: 'Another device is bound to the cookie', retryable: false },
  'device-confidence-refused': { status: 409, title: 'The merchant sells nothing to a device of so little confidence', retryable: false },
  'kid-unknown': { status: 409, title: 'No content key is stored for a kid', retryable: false },
  'purchase-differs': { status: 409, title: 'The purchase exists with other content', retryable: false },
  'purchase-refunded': { status: 409, title: 'The purchase is refunded', retryable: false },
  'stored-key-exists': { status: 409, title: 'A key is stored for this kid already', retryable: false },
  'unsupported-upstream': { status: 409, title: 'The licence service that the merchant’s tokens come from has no such tokens', retryable: false },
  'webhook-limit-reached': { status: 409, title: 'The merchant has as many webhooks as it may have', retryable: false },
  'payload-too-large': { status: 413, title: 'The body is too large', retryable: false },
  'unsupported-media-type': { status: 415, title: 'The body is not JSON', retryable: false },
  'idempotency-key-differs': { status: 422, title: 'The idempotency key was used for another request', retryable: false },
  'rate-limited': { status: 429, title: 'Too many failed attempts', retryable: true },
  internal: { status: 500, title: 'Something went wrong on our side', retryable: true },
  'webhooks-off': { status: 501, title: 'The gateway has no key to keep secrets of webhooks with', retryable: false },
  unavailable: { status: 503, title: 'A part that is needed does not answer', retryable: true },
} as const satisfies Record<string, ErrorCodeEntry>;

interface ErrorCodeEntry {
  readonly status: number;
  readonly alsoStatus?: number;
  readonly title: string;
  readonly retryable: boolean;
}

/** A stable, kebab-case error code of the table above. */
export type ErrorCode = keyof typeof errorCodes;

/** Whether a text from outside (a stored row, another service's answer) is a code of the table. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}

/** The HTTP statuses that a code may be answered with, the usual one first. */
export function statusesOf(code: ErrorCode): readonly number[] {
  const entry: ErrorCodeEntry = errorCodes[code];
  return entry.alsoStatus === undefined ? [entry.status] : [entry.status, entry.alsoStatus];
}

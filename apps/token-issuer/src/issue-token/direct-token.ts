import type { RequestInput, requests } from '@latchkey/contracts';
import { type BoundDevice, comparableRights, type KnownCookie, refuseDevice } from '../purchase.js';

/** Every reason to refuse a token that is asked for without a purchase. */
export type DirectTokenRefusal =
  | 'cookie-unknown'
  | 'device-not-registered'
  | 'device-revoked'
  | 'device-mismatch'
  | 'device-confidence-refused'
  | 'kid-unknown'
  | 'content-key-differs'
  | 'idempotency-key-differs';

/** What becomes of the request: the device that the token will be bound to, or a refusal. */
export type DirectTokenDecision =
  | { readonly kind: 'issue'; readonly device: BoundDevice }
  | { readonly kind: 'refuse'; readonly code: DirectTokenRefusal };

/** Judges a request for a token without a purchase: unlike a purchase it does not wait for a device. */
export function decideDirectToken(request: { readonly deviceId?: string }, cookie: KnownCookie, kidsKnown: boolean): DirectTokenDecision {
  const { device } = cookie;
  if (!device) return { kind: 'refuse', code: cookie.expiresAt ? 'device-not-registered' : 'cookie-unknown' };
  const code = refuseDevice(request, device);
  if (code) return { kind: 'refuse', code };
  return kidsKnown ? { kind: 'issue', device } : { kind: 'refuse', code: 'kid-unknown' };
}

/**
 * A request as one text, equal for equal requests: kids in any order, times by their instant. It is kept for a day, so it
 * holds no content key, only for which kids there were some; that these keys are the same is checked against the stored ones.
 */
export function comparableRequest(input: RequestInput<typeof requests.issueToken>): string {
  const { cookie, deviceId, contentId, kids, rights, keys, ttlSeconds } = input;
  const keyed = keys === undefined ? null : Object.keys(keys).sort();
  return JSON.stringify([cookie, deviceId ?? null, contentId, [...kids].sort(), comparableRights(rights), keyed, ttlSeconds ?? null]);
}

import { type CookieView, operations } from '@latchkey/contracts';

/** A cookie as this service keeps it. `boundAt` is what it has heard; the registry may know of a binding earlier. */
export interface Cookie {
  readonly merchantId: string;
  readonly cookie: string;
  readonly accountId: string;
  readonly expiresAt: Date;
  readonly boundAt: Date | null;
}

/** What a merchant asks for. `ttlSeconds` stays undefined where it did not say: a default is no part of the request. */
export interface CookieRequest {
  readonly accountId: string;
  readonly ttlSeconds?: number | undefined;
}

/** How long a cookie lives, in seconds, or that it was asked to live too long. */
export function lifetimeSeconds(request: CookieRequest, defaultSeconds: number): number | 'ttl-too-long' {
  const { ttlSeconds = defaultSeconds } = request;
  return ttlSeconds > operations.LIFETIME_SECONDS_MAX ? 'ttl-too-long' : ttlSeconds;
}

/** Whether a request under a used idempotency key is the one that used it. */
export function isSameRequest(earlier: CookieRequest, request: CookieRequest): boolean {
  return earlier.accountId === request.accountId && earlier.ttlSeconds === request.ttlSeconds;
}

/**
 * The account of a cookie that its merchant made up: whose it is, only the merchant knows. Hex, because cookies hold
 * characters that account ids do not, and two cookies must not share an account.
 */
export function adoptedAccountId(cookie: string): string {
  return `cookie:${Buffer.from(cookie).toString('hex')}`;
}

/** `bound` wins: a cookie that a device took in time stays bound when its own time is over. */
export function stateOf(cookie: Pick<Cookie, 'expiresAt' | 'boundAt'>, now: Date): CookieView['state'] {
  if (cookie.boundAt !== null) return 'bound';
  return cookie.expiresAt <= now ? 'expired' : 'pending';
}

/** A cookie as the API shows it. */
export function viewOf({ cookie, accountId, expiresAt }: Cookie, state: CookieView['state']): CookieView {
  return { cookie, accountId, state, expiresAt: expiresAt.toISOString() };
}

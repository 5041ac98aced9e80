import type { CookieView } from '@latchkey/contracts';
import { isThumbprint, type RegistrationClaims, type TokenParties } from '@latchkey/crypto';

/** What a registration token is asked for. */
export interface RegistrationRequest {
  readonly merchantId: string;
  readonly cookie: string;
  /** Only this device may then bind. */
  readonly deviceId?: string;
}

/** The claims of a registration token, or why there is none. */
export type RegistrationDecision =
  | { readonly kind: 'mint'; readonly claims: RegistrationClaims }
  | { readonly kind: 'refuse'; readonly code: 'cookie-expired' | 'cookie-bound' | 'device-id-not-a-thumbprint' };

/**
 * Judges a request for a registration token. The token carries account and cookie expiry, so that binding never waits for
 * news of the cookie, and it does not outlive the cookie.
 */
export function decideRegistration(
  request: RegistrationRequest,
  cookie: CookieView,
  options: TokenParties & { readonly now: Date; readonly ttlSeconds: number; readonly jti: string },
): RegistrationDecision {
  const { iss, aud, now, ttlSeconds, jti } = options;
  const iat = Math.floor(now.getTime() / 1000);
  const cookieExp = Math.floor(Date.parse(cookie.expiresAt) / 1000);
  if (cookie.state === 'bound') return { kind: 'refuse', code: 'cookie-bound' };
  if (cookie.state === 'expired' || cookieExp <= iat) return { kind: 'refuse', code: 'cookie-expired' };
  if (request.deviceId !== undefined && !isThumbprint(request.deviceId)) return { kind: 'refuse', code: 'device-id-not-a-thumbprint' };
  return {
    kind: 'mint',
    claims: {
      iss,
      aud,
      iat,
      exp: Math.min(iat + ttlSeconds, cookieExp),
      jti,
      merchant: request.merchantId,
      account: cookie.accountId,
      cookie: request.cookie,
      cookie_exp: cookieExp,
      ...(request.deviceId === undefined ? {} : { cnf: { jkt: request.deviceId } }),
    },
  };
}

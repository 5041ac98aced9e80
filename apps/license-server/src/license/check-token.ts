import { checkTokenParties, checkTokenTimes, type ContentClaims, type LatchkeyToken, type TokenParties } from '@latchkey/crypto';
import { type LicenseRefusal, refuse } from './refusal.js';

/**
 * Why a genuine token does not open anything for anybody now: its times, its parties. Looked at for every request, for a
 * token that was good a second ago may have expired since.
 */
export function refuseToken({ claims }: LatchkeyToken, expected: TokenParties, nowSeconds: number): LicenseRefusal | undefined {
  const times = checkTokenTimes(claims, nowSeconds);
  if (!times.ok) return refuse('token', times.reason);
  const parties = checkTokenParties(claims, expected);
  return parties.ok ? undefined : refuse('token', parties.reason);
}

/**
 * Why a token is not for the holder of this key. A content token without `cnf` is bound to an asserted device id, which
 * nobody can prove here. A registration token has `cnf` only where it was narrowed to one key, which then alone may bind.
 */
export function refuseKey({ kind, claims: { cnf } }: LatchkeyToken, thumbprint: string): LicenseRefusal | undefined {
  if (cnf === undefined) return kind === 'content' ? refuse('binding', 'no-confirmation') : undefined;
  return cnf.jkt === thumbprint ? undefined : refuse('binding', 'other-key');
}

/**
 * Why a token is not for a device of this id, which nobody has proved. One that names a key is for whoever proves it:
 * taken on somebody's word, it would be worth something to whoever copied it.
 */
export function refuseAssertedDevice({ kind, claims }: LatchkeyToken, deviceId: string): LicenseRefusal | undefined {
  if (claims.cnf !== undefined) return refuse('binding', 'proof-needed');
  return kind === 'registration' || claims.device === deviceId ? undefined : refuse('binding', 'other-device');
}

/** The refusal where a kid asked for is not in the token. */
export function refuseKids(claims: ContentClaims, kids: readonly string[]): LicenseRefusal | undefined {
  return kids.every((kid) => claims.kids.includes(kid)) ? undefined : refuse('rights', 'kid-not-in-token');
}

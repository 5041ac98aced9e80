import { checkTokenParties, checkTokenTimes, type LatchkeyToken, type TokenParties } from '@latchkey/crypto';
import { type LicenseRefusal, refuse } from './refusal.js';

/**
 * Why a genuine token does not open anything for this device now: its times, its parties, its binding. Looked at for
 * every request, for a token that was good a second ago may have expired since.
 *
 * A content token without `cnf` is bound to an asserted device id, which nobody can prove here. A registration token
 * has `cnf` only where it was narrowed to one key, which then alone may bind.
 */
export function refuseToken(token: LatchkeyToken, deviceId: string, expected: TokenParties, nowSeconds: number): LicenseRefusal | undefined {
  const times = checkTokenTimes(token.claims, nowSeconds);
  if (!times.ok) return refuse('token', times.reason);
  const parties = checkTokenParties(token.claims, expected);
  if (!parties.ok) return refuse('token', parties.reason);
  const { cnf } = token.claims;
  if (cnf === undefined) return token.kind === 'content' ? refuse('binding', 'no-confirmation') : undefined;
  return cnf.jkt === deviceId ? undefined : refuse('binding', 'other-key');
}

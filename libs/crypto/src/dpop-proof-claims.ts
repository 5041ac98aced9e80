import { hash } from 'node:crypto';
import type { JsonObject } from './strict-json.js';

/** Why a proof's claims are refused. */
export type ProofClaimRefusal = 'htm' | 'htu' | 'iat-form' | 'iat-window' | 'exp' | 'nbf' | 'jti' | 'ath';

/** What a proof has to say about the request that it came with. */
export interface ExpectedProofClaims {
  /** The request's method, in capitals. */
  readonly htm: string;
  /** The configured public URL, compared byte for byte. */
  readonly htu: string;
  /** The token that the proof has to name, as it was sent. */
  readonly accessToken: string;
  readonly nowSeconds: number;
  /** How far `iat` may be from now, in either direction. */
  readonly iatWindowSeconds?: number;
}

export type CheckedProofClaims =
  | { readonly ok: true; readonly jti: string; readonly iatSeconds: number }
  | { readonly ok: false; readonly reason: ProofClaimRefusal };

const IAT_WINDOW_SECONDS_DEFAULT = 60;
const JTI_CHARACTERS_MAX = 128;

/**
 * Second half of RFC 9449 §4.3: the claims against the request. `htm` and `htu` exactly (no parsing or normalising:
 * two readers of one URL rarely agree); `iat` an integer within 60 s of now; `exp` in the future and `nbf` not, where
 * present; `jti` of 1 to 128 characters; `ath` the SHA-256 of the token. Claims beyond these are ignored. The nonce
 * and the one-time use of (thumbprint, jti) are the caller's.
 */
export function checkProofClaims(claims: JsonObject, expected: ExpectedProofClaims): CheckedProofClaims {
  const { nowSeconds, iatWindowSeconds = IAT_WINDOW_SECONDS_DEFAULT } = expected;
  const { iat, jti } = claims;
  if (claims['htm'] !== expected.htm) return { ok: false, reason: 'htm' };
  if (claims['htu'] !== expected.htu) return { ok: false, reason: 'htu' };
  if (!isInteger(iat)) return { ok: false, reason: 'iat-form' };
  if (Math.abs(nowSeconds - iat) > iatWindowSeconds) return { ok: false, reason: 'iat-window' };
  if (!isUnexpired(claims, nowSeconds)) return { ok: false, reason: 'exp' };
  if (!isBegun(claims, nowSeconds)) return { ok: false, reason: 'nbf' };
  if (!isJti(jti)) return { ok: false, reason: 'jti' };
  if (claims['ath'] !== accessTokenHash(expected.accessToken)) return { ok: false, reason: 'ath' };
  return { ok: true, jti, iatSeconds: iat };
}

/** RFC 9449 §4.2 `ath`: base64url of the SHA-256 of the token's ASCII characters. */
export function accessTokenHash(accessToken: string): string {
  return hash('sha256', accessToken, 'base64url');
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}

// No tolerance for clocks in these two: a device that adds them asks for precisely that, and `iat` has the tolerance.
function isUnexpired(claims: JsonObject, nowSeconds: number): boolean {
  if (!Object.hasOwn(claims, 'exp')) return true;
  const { exp } = claims;
  return typeof exp === 'number' && Number.isFinite(exp) && exp > nowSeconds;
}

function isBegun(claims: JsonObject, nowSeconds: number): boolean {
  if (!Object.hasOwn(claims, 'nbf')) return true;
  const { nbf } = claims;
  return typeof nbf === 'number' && Number.isFinite(nbf) && nbf <= nowSeconds;
}

/**
 * Characters are Unicode code points. U+0000 is refused although it is one: PostgreSQL stores it in no text, so a
 * single such proof would fail the statement that writes the replay marks of all its neighbours.
 */
function isJti(value: unknown): value is string {
  if (typeof value !== 'string' || value.length === 0 || value.includes('\0')) return false;
  if (value.length <= JTI_CHARACTERS_MAX) return true;
  return value.length <= 2 * JTI_CHARACTERS_MAX && [...value].length <= JTI_CHARACTERS_MAX;
}

import type { KeyObject } from 'node:crypto';
import { verifyEs256 } from './es256.js';
import { parseCompactJws, signCompactJws } from './jws.js';
import type { SigningKey } from './signing-key.js';
import { hasExactMembers, type JsonObject } from './strict-json.js';
import {
  isThumbprint,
  refuseClaims,
  type ClaimRefusal,
  type ContentClaims,
  type RegistrationClaims,
  type TokenKind,
} from './token-claims.js';

/** The largest token made or taken, in bytes of its compact form: it has to fit a header beside a proof. */
export const TOKEN_BYTES_MAX = 6_144;

/** How far ahead the issuer's clock may be; without it a token just issued would be refused by a slower clock. */
export const TOKEN_CLOCK_TOLERANCE_SECONDS = 60;

/** Every reason to refuse a token for its form. For logs and metrics: a client is told `invalid_token` and no more. */
export type TokenRefusal =
  | 'token-too-large'
  | 'token-not-jws'
  | 'header-members'
  | 'alg'
  | 'typ'
  | 'kid'
  | ClaimRefusal;

interface TokenOf<Kind extends TokenKind, Claims> {
  readonly ok: true;
  readonly kind: Kind;
  /** Id of the signing key that the token claims to be signed with. */
  readonly keyId: string;
  /** In good form, and not to be believed before `verify` has said true. */
  readonly claims: Claims;
  /** True if the token was signed with the private half of this key. Never throws. */
  verify(publicKey: KeyObject): boolean;
}

/** A token in good form, told apart by `kind`. */
export type LatchkeyToken = TokenOf<'registration', RegistrationClaims> | TokenOf<'content', ContentClaims>;

export type ReadToken = LatchkeyToken | { readonly ok: false; readonly reason: TokenRefusal };

/** What signing needs of a signing key. */
export type TokenSigner = Pick<SigningKey, 'keyId' | 'privateKey'>;

const TYP_OF = { registration: 'latchkey-registration+jwt', content: 'latchkey-content+jwt' } as const;
const HEADER_MEMBERS = ['alg', 'kid', 'typ'] as const;

/**
 * Signs a token: compact ES256 JWS (RFC 7515) with header `alg`, `kid`, `typ`. Claims that are `undefined` are left
 * out.
 *
 * @throws TypeError if the claims are not such that `readToken` takes them: the token would never open anything.
 * @throws RangeError if the token would exceed `TOKEN_BYTES_MAX`.
 */
export function signToken(signer: TokenSigner, kind: 'registration', claims: RegistrationClaims): string;
export function signToken(signer: TokenSigner, kind: 'content', claims: ContentClaims): string;
export function signToken(signer: TokenSigner, kind: TokenKind, claims: RegistrationClaims | ContentClaims): string {
  // What a reader will see: members that are undefined are gone.
  const sent = JSON.parse(JSON.stringify(claims)) as JsonObject;
  const refusal = refuseClaims(kind, sent);
  // Names the claim, never its value: this message may end in a log.
  if (refusal) throw new TypeError(`a ${kind} token cannot be made: ${refusal}`);
  const token = signCompactJws(signer.privateKey, { alg: 'ES256', kid: signer.keyId, typ: TYP_OF[kind] }, sent);
  if (token.length > TOKEN_BYTES_MAX) throw new RangeError(`a ${kind} token would have ${token.length} bytes`);
  return token;
}

/**
 * Reads a token's form before any signature: at most 6 KiB, a strict compact JWS, exactly the three header members,
 * every claim of its kind. The caller looks up the key by `keyId` and asks `verify`; then come `checkTokenTimes` and
 * `checkTokenParties`. Never throws.
 */
export function readToken(text: string): ReadToken {
  const parsed = parseCompactJws(text, { maxBytes: TOKEN_BYTES_MAX });
  if (!parsed.ok) {
    return { ok: false, reason: parsed.reason === 'too-large' ? 'token-too-large' : 'token-not-jws' };
  }
  const { header, payload, signature, signingInput } = parsed.jws;
  if (!hasExactMembers(header, HEADER_MEMBERS)) return { ok: false, reason: 'header-members' };
  if (header['alg'] !== 'ES256') return { ok: false, reason: 'alg' };
  const kind = kindOf(header['typ']);
  if (!kind) return { ok: false, reason: 'typ' };
  const keyId = header['kid'];
  if (!isThumbprint(keyId)) return { ok: false, reason: 'kid' };
  const refusal = refuseClaims(kind, payload);
  if (refusal) return { ok: false, reason: refusal };

  const verify = (publicKey: KeyObject): boolean => verifyEs256(publicKey, signingInput, signature);
  // The compiler cannot follow that `refuseClaims` has looked at every claim of this kind.
  const claims: unknown = payload;
  return kind === 'registration'
    ? { ok: true, kind, keyId, claims: claims as RegistrationClaims, verify }
    : { ok: true, kind, keyId, claims: claims as ContentClaims, verify };
}

export type TokenTimes = { readonly ok: true } | { readonly ok: false; readonly reason: 'expired' | 'iat-in-future' };

/** A token is good until the second before `exp`, and from `iat` less the tolerance for the issuer's clock. */
export function checkTokenTimes(
  claims: { readonly iat: number; readonly exp: number },
  nowSeconds: number,
): TokenTimes {
  if (nowSeconds >= claims.exp) return { ok: false, reason: 'expired' };
  if (claims.iat > nowSeconds + TOKEN_CLOCK_TOLERANCE_SECONDS) return { ok: false, reason: 'iat-in-future' };
  return { ok: true };
}

export interface TokenParties {
  readonly iss: string;
  readonly aud: string;
}

export type TokenPartiesCheck = { readonly ok: true } | { readonly ok: false; readonly reason: 'iss' | 'aud' };

/** Issuer and audience have to be the expected ones exactly: another deployment's token opens nothing here. */
export function checkTokenParties(claims: TokenParties, expected: TokenParties): TokenPartiesCheck {
  if (claims.iss !== expected.iss) return { ok: false, reason: 'iss' };
  if (claims.aud !== expected.aud) return { ok: false, reason: 'aud' };
  return { ok: true };
}

function kindOf(typ: unknown): TokenKind | undefined {
  if (typ === TYP_OF.registration) return 'registration';
  return typ === TYP_OF.content ? 'content' : undefined;
}

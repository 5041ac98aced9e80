import { type Evidence, type Rights, rightsOfToken } from '@latchkey/contracts';
import { type ContentClaims, kekIdOf, readToken, signToken, TOKEN_BYTES_MAX, type TokenParties, type TokenRights, type TokenSigner } from '@latchkey/crypto';
import { isOver, type RejectionCode, type StoredPurchase } from './purchase.js';

/** A token within so long of its expiry is renewed when it is asked for. */
const RENEWAL_WINDOW_MS = 24 * 3600 * 1000;

/** The latest time that a token can name: the end of the year 9999, in seconds since 1970. */
const NUMERIC_DATE_MAX = 253_402_300_799;

/** What a content token is to say. */
export interface TokenTerms {
  readonly merchantId: string;
  /** Undefined where the token was asked for without a purchase. */
  readonly purchaseId?: string;
  readonly cookie: string;
  readonly deviceId: string;
  readonly evidence: Evidence;
  readonly contentId: string;
  readonly kids: readonly string[];
  /** The content key of each kid, in the order of `kids`, wrapped as it lies at rest. */
  readonly wrappedKeys: readonly string[];
  readonly rights: Rights;
  /** The token whose play clock this one goes on with; undefined where the clock is its purchase's or its own. */
  readonly playClock?: string;
}

/** A content token that was signed, or obtained elsewhere, and is about to be stored. */
export interface MintedToken extends TokenTerms {
  readonly tokenId: string;
  readonly token: string;
  /** The KEKs without which the token opens nothing. */
  readonly kekIds: readonly string[];
  /** Undefined where it was not signed here. */
  readonly signingKeyId?: string;
  /** Where it is redeemed; undefined for this deployment's own licence server. */
  readonly licenseUrl?: string;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/** Signs a content token. It begins and ends on whole seconds, as its claims do. */
export function mintContentToken(
  signer: TokenSigner,
  parties: TokenParties,
  terms: TokenTerms,
  { tokenId, now, ttlSeconds }: { readonly tokenId: string; readonly now: Date; readonly ttlSeconds: number },
): MintedToken {
  const iat = Math.floor(now.getTime() / 1000);
  const exp = iat + ttlSeconds;
  const token = signToken(signer, 'content', contentClaims(terms, { ...parties, iat, exp, jti: tokenId }));
  return {
    ...terms,
    tokenId,
    token,
    kekIds: [...new Set(terms.wrappedKeys.map((wrapped) => kekIdOf(wrapped) ?? 'unknown'))],
    signingKeyId: signer.keyId,
    issuedAt: new Date(iat * 1000),
    expiresAt: new Date(exp * 1000),
  };
}

function contentClaims(
  terms: TokenTerms,
  envelope: TokenParties & { readonly iat: number; readonly exp: number; readonly jti: string },
): ContentClaims {
  const { iss, aud, iat, exp, jti } = envelope;
  return {
    iss,
    aud,
    iat,
    exp,
    jti,
    merchant: terms.merchantId,
    cookie: terms.cookie,
    purchase: terms.purchaseId,
    clock: terms.playClock,
    content: terms.contentId,
    kids: terms.kids,
    keys: terms.wrappedKeys,
    rights: tokenRights(terms.rights),
    ...(terms.evidence === 'proof' ? { cnf: { jkt: terms.deviceId } } : { device: terms.deviceId }),
  };
}

/** Rights in a token's whole seconds, rounded so that neither end opens more than was bought. */
export function tokenRights(rights: Rights): TokenRights {
  const from = rights.availableFrom === undefined ? {} : { available_from: numericDate(rights.availableFrom, Math.ceil) };
  if (rights.type === 'purchase') return { type: 'purchase', ...from };
  return {
    type: 'rental',
    ...from,
    available_until: numericDate(rights.availableUntil, Math.floor),
    play_duration: rights.playDurationSeconds,
  };
}

/** A time before 1970 is long over, however long: tokens name none. */
function numericDate(time: string, round: (seconds: number) => number): number {
  return Math.min(Math.max(round(Date.parse(time) / 1000), 0), NUMERIC_DATE_MAX);
}

/** A purchase's token that was neither superseded nor revoked. It may have expired. */
export interface CurrentToken {
  readonly tokenId: string;
  readonly token: string;
  readonly deviceId: string;
  /** Where it is redeemed; absent for this deployment's own licence server. */
  readonly licenseUrl?: string | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
}

/**
 * Whether asking for a token replaces it: within 24 hours of its expiry, but never in the first half of its life.
 * Without that half, a token that lives 24 hours, the default, would be replaced each time that somebody looks at it,
 * and the one that the player holds would stop working.
 */
export function isDueForRenewal({ issuedAt, expiresAt }: Pick<CurrentToken, 'issuedAt' | 'expiresAt'>, now: Date): boolean {
  const windowMs = Math.min(RENEWAL_WINDOW_MS, (expiresAt.getTime() - issuedAt.getTime()) / 2);
  return expiresAt.getTime() - now.getTime() <= windowMs;
}

/** What a stored token opens; undefined where it is no content token. */
export function rightsIn(token: string): Rights | undefined {
  const read = readToken(token);
  return read.ok && read.kind === 'content' ? rightsOfToken(read.claims.rights) : undefined;
}

/** Whether a token opens nothing any more of a rental that goes on: its purchase adopted it, and ends later. */
function isSpent({ token }: CurrentToken, rights: Rights, now: Date): boolean {
  const opened = rightsIn(token);
  return opened !== undefined && isOver(opened, now) && !isOver(rightsOfToken(tokenRights(rights)), now);
}

/** What is answered to somebody who asks for a purchase's token. */
export type TokenAnswer =
  | { readonly kind: 'refuse'; readonly code: 'purchase-unknown' | 'token-not-issued' | 'purchase-refunded' | RejectionCode }
  | { readonly kind: 'answer'; readonly token: CurrentToken }
  | { readonly kind: 'renew'; readonly token: CurrentToken };

/** Judges a request for a purchase's token. What was refunded, or whose device is revoked, is never renewed. */
export function decideTokenAnswer(
  purchase: StoredPurchase | undefined,
  held: { readonly token: CurrentToken | undefined; readonly deviceRevoked: boolean },
  now: Date,
): TokenAnswer {
  if (!purchase) return { kind: 'refuse', code: 'purchase-unknown' };
  switch (purchase.state) {
    case 'awaiting-device':
      return { kind: 'refuse', code: 'token-not-issued' };
    case 'refunded':
      return { kind: 'refuse', code: 'purchase-refunded' };
    case 'rejected':
      return { kind: 'refuse', code: purchase.code! };
    case 'issued': {
      const { token, deviceRevoked } = held;
      if (deviceRevoked || !token) return { kind: 'refuse', code: 'device-revoked' };
      const due = isDueForRenewal(token, now) || (purchase.terms !== undefined && isSpent(token, purchase.terms.rights, now));
      return { kind: due ? 'renew' : 'answer', token };
    }
  }
}

const KIDS_MAX = 32;
const ID_CHARACTERS_MAX = 128;
const MERCHANT_CHARACTERS_MAX = 63;
const COOKIE_CHARACTERS_MAX = 32;
/** base64url of a wrapped content key: 12 bytes of IV, 16 of key, 16 of tag. */
const WRAPPED_KEY_CHARACTERS = 59;

/**
 * Whether 32 kids with the longest ids still fit a token in this deployment. Looked at before the service starts: found
 * out later, it would be a purchase that can never be issued.
 */
export function longestTokenFits(signer: TokenSigner, parties: TokenParties, kekId: string): boolean {
  const id = 'x'.repeat(ID_CHARACTERS_MAX);
  const terms: TokenTerms = {
    merchantId: 'x'.repeat(MERCHANT_CHARACTERS_MAX),
    purchaseId: id,
    cookie: 'x'.repeat(COOKIE_CHARACTERS_MAX),
    deviceId: id,
    evidence: 'asserted',
    contentId: id,
    kids: Array.from({ length: KIDS_MAX }, (_, index) => index.toString(16).padStart(32, '0')),
    wrappedKeys: new Array<string>(KIDS_MAX).fill(`${kekId}.${'A'.repeat(WRAPPED_KEY_CHARACTERS)}`),
    rights: { type: 'rental', availableFrom: '9999-12-30T00:00:00Z', availableUntil: '9999-12-31T00:00:00Z', playDurationSeconds: 315_360_000 },
  };
  try {
    const { token } = mintContentToken(signer, parties, terms, { tokenId: `tok_${'x'.repeat(22)}`, now: new Date(), ttlSeconds: 1 });
    return token.length <= TOKEN_BYTES_MAX;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

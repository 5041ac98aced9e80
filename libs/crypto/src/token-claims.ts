import { decodeBase64url } from './base64url.js';
import { isWrappedContentKey } from './key-ring.js';
import { hasExactMembers, isJsonObject, type JsonObject } from './strict-json.js';

/** The two kinds of token: a registration token opens no content, a content token opens the kids that it names. */
export type TokenKind = 'registration' | 'content';

/** RFC 7800 confirmation: the RFC 7638 thumbprint of the one key that may use the token. */
export interface Confirmation {
  readonly jkt: string;
}

interface TokenEnvelope {
  readonly iss: string;
  readonly aud: string;
  /** Seconds since 1970, as `exp` and every other time here (RFC 7519 NumericDate, integers only). */
  readonly iat: number;
  readonly exp: number;
  readonly jti: string;
  /** The merchant's id. */
  readonly merchant: string;
  readonly cookie: string;
}

/** Claims of a registration token. */
export interface RegistrationClaims extends TokenEnvelope {
  readonly account: string;
  /** When the cookie expires: binding goes by this, and never waits to hear of the cookie. */
  readonly cookie_exp: number;
  /** Only where the token was narrowed to one device beforehand. */
  readonly cnf?: Confirmation;
}

/** What was bought. A rental's `play_duration` is in seconds and starts at its first licence. */
export type TokenRights =
  | { readonly type: 'purchase'; readonly available_from?: number }
  | {
      readonly type: 'rental';
      readonly available_from?: number;
      readonly available_until: number;
      readonly play_duration: number;
    };

/** Claims of a content token. Exactly one of `cnf` and `device` says which device it is bound to. */
export interface ContentClaims extends TokenEnvelope {
  readonly account?: string;
  readonly purchase?: string;
  /**
   * The token whose play clock this one goes on with: one of the same sale that it renews, and that was issued before its
   * purchase was known. Without it the clock is the purchase's, or this token's own.
   */
  readonly clock?: string;
  readonly content: string;
  /** 1 to 32 different key ids, 32 lower-case hex each. */
  readonly kids: readonly string[];
  /** The content key of each kid, in the same order, wrapped as it lies at rest. */
  readonly keys: readonly string[];
  readonly rights: TokenRights;
  readonly cnf?: Confirmation;
  /** An asserted device id. */
  readonly device?: string;
}

type ClaimName = keyof RegistrationClaims | keyof ContentClaims;

/** Why claims are refused: the claim that is malformed, missing or unknown members, or not exactly one device. */
export type ClaimRefusal = `claim-${ClaimName}` | 'claim-members' | 'claim-binding';

type ClaimForms<Claims> = { readonly [Name in keyof Claims]-?: (value: unknown) => boolean };

const KIDS_MAX = 32;
const KID = /^[0-9a-f]{32}$/;
const IDENTIFIER = /^[A-Za-z0-9._:-]{1,128}$/;
const COOKIE = /^[A-Za-z0-9._~:@+/=-]{1,32}$/;
const ASSERTED_DEVICE_ID = /^[\x20-\x7e]{1,128}$/;
const PARTY = /^[\x21-\x7e]{1,512}$/;
// The end of the year 9999: beyond it a time has no RFC 3339 form, and rendering it would throw.
const NUMERIC_DATE_MAX = 253_402_300_799;
const THUMBPRINT_BYTES = 32;

const ENVELOPE_FORMS: ClaimForms<TokenEnvelope> = {
  iss: matches(PARTY),
  aud: matches(PARTY),
  iat: isNumericDate,
  exp: isNumericDate,
  jti: matches(IDENTIFIER),
  merchant: matches(IDENTIFIER),
  cookie: matches(COOKIE),
};

const REGISTRATION_FORMS: ClaimForms<RegistrationClaims> = {
  ...ENVELOPE_FORMS,
  account: matches(IDENTIFIER),
  cookie_exp: isNumericDate,
  cnf: isConfirmation,
};

const CONTENT_FORMS: ClaimForms<ContentClaims> = {
  ...ENVELOPE_FORMS,
  account: matches(IDENTIFIER),
  purchase: matches(IDENTIFIER),
  clock: matches(IDENTIFIER),
  content: matches(IDENTIFIER),
  kids: areKids,
  keys: areWrappedKeys,
  rights: areRights,
  cnf: isConfirmation,
  device: matches(ASSERTED_DEVICE_ID),
};

const REGISTRATION_OPTIONAL = ['cnf'] as const;
const CONTENT_OPTIONAL = ['account', 'purchase', 'clock', 'cnf', 'device'] as const;

/**
 * The first thing wrong with the form of a token's claims, or `undefined`. Every claim is checked for type and range.
 *
 * A claim that this version does not know is refused: it may be a restriction that this version would not enforce.
 * Hence a new claim goes into the readers one release before anyone signs it.
 */
export function refuseClaims(kind: TokenKind, claims: JsonObject): ClaimRefusal | undefined {
  if (kind === 'registration') return refuseForms(claims, REGISTRATION_FORMS, REGISTRATION_OPTIONAL);
  const refusal = refuseForms(claims, CONTENT_FORMS, CONTENT_OPTIONAL);
  if (refusal) return refusal;
  if (lengthOf(claims['keys']) !== lengthOf(claims['kids'])) return 'claim-keys';
  return Object.hasOwn(claims, 'cnf') === Object.hasOwn(claims, 'device') ? 'claim-binding' : undefined;
}

/** True for an RFC 7638 SHA-256 thumbprint in its one spelling. */
export function isThumbprint(value: unknown): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === THUMBPRINT_BYTES;
}

function refuseForms<Name extends ClaimName>(
  claims: JsonObject,
  forms: Readonly<Record<Name, (value: unknown) => boolean>>,
  optional: readonly Name[],
): ClaimRefusal | undefined {
  const names = Object.keys(forms) as Name[];
  const required = names.filter((name) => !optional.includes(name));
  if (!hasExactMembers(claims, required, optional)) return 'claim-members';
  for (const name of names) {
    if (Object.hasOwn(claims, name) && !forms[name](claims[name])) return `claim-${name}`;
  }
  return Number(claims['exp']) > Number(claims['iat']) ? undefined : 'claim-exp';
}

function matches(pattern: RegExp): (value: unknown) => boolean {
  return (value) => typeof value === 'string' && pattern.test(value);
}

function isNumericDate(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= NUMERIC_DATE_MAX;
}

function isConfirmation(value: unknown): boolean {
  return isJsonObject(value) && hasExactMembers(value, ['jkt']) && isThumbprint(value['jkt']);
}

function areKids(value: unknown): boolean {
  if (!Array.isArray(value) || value.length < 1 || value.length > KIDS_MAX) return false;
  return new Set(value).size === value.length && value.every(matches(KID));
}

function areWrappedKeys(value: unknown): boolean {
  return Array.isArray(value) && value.every((key) => typeof key === 'string' && isWrappedContentKey(key));
}

function areRights(value: unknown): boolean {
  if (!isJsonObject(value)) return false;
  if (Object.hasOwn(value, 'available_from') && !isNumericDate(value['available_from'])) return false;
  if (value['type'] === 'purchase') return hasExactMembers(value, ['type'], ['available_from']);
  return (
    value['type'] === 'rental' &&
    hasExactMembers(value, ['type', 'available_until', 'play_duration'], ['available_from']) &&
    isNumericDate(value['available_until']) &&
    isNumericDate(value['play_duration']) &&
    value['play_duration'] !== 0
  );
}

function lengthOf(value: unknown): number {
  return Array.isArray(value) ? value.length : -1;
}

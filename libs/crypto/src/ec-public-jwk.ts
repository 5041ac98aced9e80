import { createPublicKey, hash, type KeyObject } from 'node:crypto';
import { decodeBase64url } from './base64url.js';
import { hasExactMembers, isJsonObject } from './strict-json.js';

/** A P-256 public key as a JWK (RFC 7517, RFC 7518 §6.2.1): 32-byte coordinates in canonical base64url. */
export interface EcPublicJwk {
  readonly kty: 'EC';
  readonly crv: 'P-256';
  readonly x: string;
  readonly y: string;
}

/** A public key in the three forms that its users need. */
export interface ImportedEcPublicJwk {
  readonly jwk: EcPublicJwk;
  /** RFC 7638 SHA-256 thumbprint: the device id of a device key, the key id of a signing key. */
  readonly thumbprint: string;
  readonly publicKey: KeyObject;
}

const COORDINATE_BYTES = 32;
const JWK_MEMBERS = ['kty', 'crv', 'x', 'y'] as const;

// An import costs half as much as verifying a signature, and a player asks again and again with the same key. The
// bound keeps a stranger who makes up keys from filling the memory; an entry is about 2 KB.
const CACHED_KEYS_MAX = 8_192;
const cachedKeys = new Map<string, KeyObject>();

/**
 * Reads a P-256 public JWK strictly: exactly the members `kty`, `crv`, `x`, `y`; coordinates of exactly 32 bytes in
 * canonical base64url and smaller than the field; a point on the curve. Otherwise `undefined`.
 *
 * A key has exactly one accepted form: with a second one, one key would have several thumbprints, hence several
 * device ids. `d` is refused with every other extra member, so a private key that was sent by mistake is not used.
 */
export function readEcPublicJwk(value: unknown): EcPublicJwk | undefined {
  return importEcPublicJwk(value)?.jwk;
}

/** As `readEcPublicJwk`, with the thumbprint and the imported key, each of which costs something to make again. */
export function importEcPublicJwk(value: unknown): ImportedEcPublicJwk | undefined {
  if (!isJsonObject(value) || !hasExactMembers(value, JWK_MEMBERS)) return undefined;
  const { kty, crv, x, y } = value;
  if (kty !== 'EC' || crv !== 'P-256' || !isCoordinate(x) || !isCoordinate(y)) return undefined;
  const jwk: EcPublicJwk = { kty, crv, x, y };
  const keyThumbprint = thumbprint(jwk);
  try {
    return { jwk, thumbprint: keyThumbprint, publicKey: cachedPublicKey(jwk, keyThumbprint) };
  } catch {
    // OpenSSL has no other way to say that the point is not on the curve or that a coordinate exceeds the field.
    return undefined;
  }
}

/** RFC 7638 SHA-256 thumbprint of a public JWK, base64url (43 characters). */
export function thumbprint(jwk: EcPublicJwk): string {
  return thumbprintOfMembers({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y });
}

/**
 * RFC 7638 §3: SHA-256 over the required members of a JWK of any type, in the order of their names and without white
 * space. The caller chooses the members; nothing is left out here.
 */
export function thumbprintOfMembers(members: Readonly<Record<string, string>>): string {
  return hash('sha256', JSON.stringify(members, Object.keys(members).sort()), 'base64url');
}

/**
 * The key object of a public JWK, cached by thumbprint (least recently used leaves first, 8,192 keys).
 *
 * @throws Error if the point is not on the curve; a JWK that came out of `readEcPublicJwk` never throws.
 */
export function publicKeyOf(jwk: EcPublicJwk): KeyObject {
  return cachedPublicKey(jwk, thumbprint(jwk));
}

function cachedPublicKey(jwk: EcPublicJwk, keyThumbprint: string): KeyObject {
  const cached = cachedKeys.get(keyThumbprint);
  if (cached) {
    // A Map iterates in order of insertion: putting a used key at the end makes the first one the longest unused.
    cachedKeys.delete(keyThumbprint);
    cachedKeys.set(keyThumbprint, cached);
    return cached;
  }
  const publicKey = createPublicKey({ key: { ...jwk }, format: 'jwk' });
  if (cachedKeys.size >= CACHED_KEYS_MAX) {
    const [oldest] = cachedKeys.keys();
    if (oldest !== undefined) cachedKeys.delete(oldest);
  }
  cachedKeys.set(keyThumbprint, publicKey);
  return publicKey;
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && decodeBase64url(value)?.length === COORDINATE_BYTES;
}

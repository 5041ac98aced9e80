import { randomBytes } from 'node:crypto';

const COOKIE_BYTES = 18;
const ID_BYTES = 16;

/**
 * A cookie: 24 characters of `A–Z a–z 0–9 _ -` with 144 random bits. Whoever knows it can bind a device to an
 * account, so nobody may guess one; it stays within the 32 characters that correlation values are allowed.
 */
export function newCookie(): string {
  return randomBytes(COOKIE_BYTES).toString('base64url');
}

/** `<prefix>_` and 22 characters of `A–Z a–z 0–9 _ -` with 128 random bits: for token ids, `jti`, event ids. */
export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(ID_BYTES).toString('base64url')}`;
}

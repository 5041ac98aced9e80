import { createHash } from 'node:crypto';

const KID_BYTES = 16;

/**
 * The kid that a string stands for where kids may be written as `^string`: the first 16 bytes of its SHA-1, as hex. An
 * identifier of the reference's key stores, and no protection of anything.
 */
export function kidOfName(name: string): string {
  return createHash('sha1').update(name, 'utf8').digest('hex').slice(0, KID_BYTES * 2);
}

/**
 * What a merchant's KEK is called where the merchant gave it no name: a fingerprint, from which a KEK of random bits cannot be
 * found.
 */
export function fingerprintOfKek(kek: Uint8Array): string {
  return `sha256.${createHash('sha256').update('latchkey kek id\0').update(kek).digest('hex').slice(0, KID_BYTES * 2)}`;
}

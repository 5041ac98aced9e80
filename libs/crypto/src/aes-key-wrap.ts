import { createCipheriv, createDecipheriv } from 'node:crypto';

const BLOCK_BYTES = 8;
const KEY_DATA_BYTES_MIN = 16;
// RFC 3394 §2.2.3.1: what unwrapping has to find again.
const INITIAL_VALUE = Buffer.alloc(BLOCK_BYTES, 0xa6);

/**
 * AES key wrap (RFC 3394) of `keyData` under a KEK of 16, 24 or 32 bytes; the result is 8 bytes longer. Deterministic,
 * and bound to nothing but the KEK: for exchange with other systems. Content keys at rest use `KeyRing`.
 *
 * @throws RangeError if the KEK has another length, or the key data is not a multiple of 8 bytes, at least 16.
 */
export function wrapAesKey(kek: Buffer, keyData: Buffer): Buffer {
  if (!isKeyData(keyData)) throw new RangeError('AES key wrap takes a multiple of 8 bytes, at least 16');
  const cipher = createCipheriv(algorithmFor(kek), kek, INITIAL_VALUE);
  return Buffer.concat([cipher.update(keyData), cipher.final()]);
}

/**
 * Reverses `wrapAesKey`; `undefined` if the integrity check fails or the length cannot be a wrapped key's.
 *
 * @throws RangeError if the KEK has not 16, 24 or 32 bytes.
 */
export function unwrapAesKey(kek: Buffer, wrapped: Buffer): Buffer | undefined {
  const decipher = createDecipheriv(algorithmFor(kek), kek, INITIAL_VALUE);
  if (!isKeyData(wrapped.subarray(BLOCK_BYTES))) return undefined;
  try {
    return Buffer.concat([decipher.update(wrapped), decipher.final()]);
  } catch {
    // The lengths are right, so the integrity check is all that is left to fail.
    return undefined;
  }
}

function isKeyData(bytes: Buffer): boolean {
  return bytes.length >= KEY_DATA_BYTES_MIN && bytes.length % BLOCK_BYTES === 0;
}

function algorithmFor(kek: Buffer): string {
  if (kek.length !== 16 && kek.length !== 24 && kek.length !== 32) throw new RangeError('a KEK has 16, 24 or 32 bytes');
  return `aes${kek.length * 8}-wrap`;
}

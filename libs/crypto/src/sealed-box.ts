import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';

const IV_BYTES = 12;
const TAG_BYTES = 16;

/** What sealing adds to the length of a plaintext. */
export const SEAL_BYTES = IV_BYTES + TAG_BYTES;

/**
 * AES-256-GCM: iv ‖ ciphertext ‖ tag. The IV is random, which is safe for 2^32 seals under one key (NIST SP 800-38D
 * §8.3): far more content keys than a deployment has.
 */
export function seal(key: KeyObject, associatedData: Buffer, plaintext: Uint8Array): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(associatedData);
  return Buffer.concat([iv, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** The plaintext; `undefined` if the key, the associated data or a single bit of `sealed` is another. */
export function open(key: KeyObject, associatedData: Buffer, sealed: Buffer): Buffer | undefined {
  if (sealed.length < SEAL_BYTES) return undefined;
  const iv = sealed.subarray(0, IV_BYTES);
  const tag = sealed.subarray(sealed.length - TAG_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(associatedData);
  decipher.setAuthTag(tag);
  const start = decipher.update(sealed.subarray(IV_BYTES, sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch {
    // final() has only one way to fail here: the tag does not match.
    return undefined;
  }
}

/**
 * One byte string for a label and fields that no other label and fields give: each is preceded by its length. Plain
 * concatenation would let merchant `a` with kid `bc` open what was sealed for merchant `ab` with kid `c`.
 */
export function encodeAssociatedData(label: string, ...fields: readonly string[]): Buffer {
  const parts = [label, ...fields].flatMap((field) => {
    const bytes = Buffer.from(field, 'utf8');
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}

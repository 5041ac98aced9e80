import { createHash, sign, type KeyObject } from 'node:crypto';

/** Unpadded base64url of a text or of bytes. */
export function b64(content: string | Uint8Array): string {
  return Buffer.from(content).toString('base64url');
}

/** Signs two parts as they are, however malformed, so that nothing but their form can be what is refused. */
export function forge(privateKey: KeyObject, headerPart: string, payloadPart: string): string {
  const input = `${headerPart}.${payloadPart}`;
  const signature = sign('sha256', Buffer.from(input, 'latin1'), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return `${input}.${b64(signature)}`;
}

/** The parts of a compact JWS. */
export function partsOf(jws: string): [header: string, payload: string, signature: string] {
  const [header = '', payload = '', signature = ''] = jws.split('.');
  return [header, payload, signature];
}

/** Another spelling of the same bytes: the unused bits of the last character set. */
export function nonCanonical(part: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  if (part.length % 4 === 0) throw new Error('no unused bits in this part');
  return part.slice(0, -1) + alphabet.charAt(alphabet.indexOf(part.slice(-1)) + 1);
}

/** SHA-256 by another way than the code under test. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'latin1').digest('base64url');
}

export const P256_PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const P256_B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** 32 big-endian bytes. */
export function bytes32(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

/** A point whose x is so small that x + p still fits 32 bytes: a second spelling that only a range check refuses. */
export function pointWithSmallX(): { x: bigint; y: bigint } {
  for (let x = 1n; ; x += 1n) {
    const square = (x ** 3n - 3n * x + P256_B) % P256_PRIME;
    const y = power(square, (P256_PRIME + 1n) / 4n);
    if ((y * y) % P256_PRIME === square) return { x, y };
  }
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * factor) % P256_PRIME;
    factor = (factor * factor) % P256_PRIME;
  }
  return result;
}

import { sign, verify, type KeyObject } from 'node:crypto';

/** Length of an ES256 signature in a JWS: r and s, 32 bytes each (RFC 7518 §3.4). */
export const ES256_SIGNATURE_BYTES = 64;

const INTEGER_BYTES = 32;
const DER_SEQUENCE = 0x30;
const DER_INTEGER = 0x02;
const ZERO = Buffer.alloc(INTEGER_BYTES);
const P256_ORDER = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');

/**
 * ES256 signature (RFC 7518 §3.4) as raw r‖s, 64 bytes.
 *
 * @throws TypeError if the key is not a P-256 private key, which is a programmer's mistake and not an input's.
 */
export function signEs256(privateKey: KeyObject, signingInput: string): Buffer {
  if (privateKey.type !== 'private' || !isP256(privateKey)) throw new TypeError('ES256 signs with a P-256 private key');
  return rawFromDer(sign('sha256', Buffer.from(signingInput, 'latin1'), privateKey));
}

/**
 * Verifies an ES256 signature of raw r‖s. False for another length (a DER signature too), for r or s of zero or
 * outside the group, and for a key that is not a P-256 public key. Never throws. High-S signatures are accepted:
 * browsers make them.
 */
export function verifyEs256(publicKey: KeyObject, signingInput: string, signature: Uint8Array): boolean {
  if (signature.length !== ES256_SIGNATURE_BYTES || publicKey.type !== 'public' || !isP256(publicKey)) return false;
  const r = signature.subarray(0, INTEGER_BYTES);
  const s = signature.subarray(INTEGER_BYTES);
  if (!isScalar(r) || !isScalar(s)) return false;
  // DER by hand: with `dsaEncoding: 'ieee-p1363'` node verifies a third slower.
  return verify('sha256', Buffer.from(signingInput, 'latin1'), publicKey, derFromScalars(r, s));
}

function isP256(key: KeyObject): boolean {
  return key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
}

function isScalar(bytes: Uint8Array): boolean {
  return Buffer.compare(bytes, ZERO) > 0 && Buffer.compare(bytes, P256_ORDER) < 0;
}

/** SEQUENCE of two INTEGERs: no leading zeros, but one where the high bit would make the number negative. */
function derFromScalars(r: Uint8Array, s: Uint8Array): Buffer {
  const der = Buffer.allocUnsafe(2 + 2 * (2 + INTEGER_BYTES + 1));
  let end = writeDerInteger(der, 2, r);
  end = writeDerInteger(der, end, s);
  der[0] = DER_SEQUENCE;
  der[1] = end - 2;
  return der.subarray(0, end);
}

function writeDerInteger(der: Buffer, start: number, scalar: Uint8Array): number {
  let first = 0;
  while (scalar[first] === 0) first += 1;
  const padding = (scalar[first] ?? 0) >= 0x80 ? 1 : 0;
  const length = scalar.length - first + padding;
  der[start] = DER_INTEGER;
  der[start + 1] = length;
  der[start + 2] = 0;
  der.set(scalar.subarray(first), start + 2 + padding);
  return start + 2 + length;
}

function rawFromDer(der: Buffer): Buffer {
  const raw = Buffer.alloc(ES256_SIGNATURE_BYTES);
  let offset = 2;
  for (const end of [INTEGER_BYTES, ES256_SIGNATURE_BYTES]) {
    const length = der.readUInt8(offset + 1);
    const integer = der.subarray(offset + 2, offset + 2 + length);
    const digits = integer[0] === 0 ? integer.subarray(1) : integer;
    raw.set(digits, end - digits.length);
    offset += 2 + length;
  }
  return raw;
}

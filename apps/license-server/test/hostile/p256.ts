/** SEC 2 §2.4.2: the field, the order and the coefficient b of P-256. */
export const P256_PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
export const P256_ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** 32 big-endian bytes. */
export function bytes32(value: bigint): Buffer {
  return Buffer.from(value.toString(16).padStart(64, '0'), 'hex');
}

/** The number that big-endian bytes stand for. */
export function numberOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
}

/** The other signature for the same text and key, which anybody can make: r and n − s. */
export function malleate(signature: Uint8Array): Buffer {
  return Buffer.concat([signature.subarray(0, 32), bytes32(P256_ORDER - numberOf(signature.subarray(32)))]);
}

/** The signature with the lower or the higher of its two values of s. */
export function withS(signature: Uint8Array, half: 'low' | 'high'): Uint8Array {
  const isHigh = numberOf(signature.subarray(32)) > P256_ORDER / 2n;
  return isHigh === (half === 'high') ? signature : malleate(signature);
}

/** The signature as ASN.1 has it (RFC 3279 §2.2.3), which is not how a JWS has it. */
export function derOf(signature: Uint8Array): Buffer {
  const integers = [signature.subarray(0, 32), signature.subarray(32)].map((scalar) => {
    const digits = Buffer.from(numberOf(scalar).toString(16).replace(/^(?:..)*.$/, '0$&'), 'hex');
    const positive = digits[0]! >= 0x80 ? Buffer.concat([Buffer.alloc(1), digits]) : digits;
    return Buffer.concat([Buffer.from([0x02, positive.length]), positive]);
  });
  const body = Buffer.concat(integers);
  return Buffer.concat([Buffer.from([0x30, body.length]), body]);
}

import { generateKeyPairSync, sign } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { bytes32, P256_ORDER, partsOf } from '../test/forge.js';
import { RFC7515_A3_JWK, RFC7515_A3_JWS } from '../test/published-vectors.js';
import { generateEcKeyPair } from './ec-key-pair.js';
import { publicKeyOf } from './ec-public-jwk.js';
import { signEs256, verifyEs256 } from './es256.js';

const { privateKey, publicJwk } = generateEcKeyPair();
const publicKey = publicKeyOf(publicJwk);
const INPUT = 'header.payload';

function scalars(signature: Buffer): [r: Buffer, s: Buffer] {
  return [signature.subarray(0, 32), signature.subarray(32)];
}

describe('verifyEs256', () => {
  it('accepts the signature of RFC 7515 A.3 and refuses it for another text', () => {
    const [header, payload, signature] = partsOf(RFC7515_A3_JWS);
    const bytes = Buffer.from(signature, 'base64url');
    expect(verifyEs256(publicKeyOf(RFC7515_A3_JWK), `${header}.${payload}`, bytes)).toBe(true);
    expect(verifyEs256(publicKeyOf(RFC7515_A3_JWK), `${header}.${payload}A`, bytes)).toBe(false);
  });

  it('agrees with node on signatures of every shape, leading zeros and high bits among them', () => {
    // One scalar in 256 begins with a zero byte; the loop goes on until some did.
    let shortScalars = 0;
    for (let count = 0; count < 300 || shortScalars < 3; count += 1) {
      const input = `${INPUT}${count}`;
      const ours = signEs256(privateKey, input);
      const nodes = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      if (scalars(ours).some((scalar) => scalar[0] === 0)) shortScalars += 1;
      expect(verifyEs256(publicKey, input, ours) && verifyEs256(publicKey, input, nodes)).toBe(true);
    }
  });

  it('accepts the high and the low s of one signature: browsers make both', () => {
    const signature = signEs256(privateKey, INPUT);
    const [r, s] = scalars(signature);
    const negated = bytes32(P256_ORDER - BigInt(`0x${s.toString('hex')}`));
    expect(verifyEs256(publicKey, INPUT, signature)).toBe(true);
    expect(verifyEs256(publicKey, INPUT, Buffer.concat([r, negated]))).toBe(true);
  });

  const signature = signEs256(privateKey, INPUT);
  const [r, s] = scalars(signature);
  const zero = Buffer.alloc(32);
  it.each([
    ['r of zero', Buffer.concat([zero, s])],
    ['s of zero', Buffer.concat([r, zero])],
    ['both of zero', Buffer.alloc(64)],
    ['r of the order', Buffer.concat([bytes32(P256_ORDER), s])],
    ['s of the order', Buffer.concat([r, bytes32(P256_ORDER)])],
    ['everything set', Buffer.alloc(64, 255)],
    ['r and s exchanged', Buffer.concat([s, r])],
    ['a byte too few', signature.subarray(0, 63)],
    ['a byte too many', Buffer.concat([signature, Buffer.alloc(1)])],
    ['nothing', Buffer.alloc(0)],
    ['DER', sign('sha256', Buffer.from(INPUT), privateKey)],
  ])('refuses %s', (_, bad) => {
    expect(verifyEs256(publicKey, INPUT, signature)).toBe(true);
    expect(verifyEs256(publicKey, INPUT, bad)).toBe(false);
  });

  it('refuses every key that is not a P-256 public key, and never throws', () => {
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).publicKey;
    const secp256k1 = generateKeyPairSync('ec', { namedCurve: 'secp256k1' });
    const ed25519 = generateKeyPairSync('ed25519').publicKey;
    for (const key of [p384, secp256k1.publicKey, ed25519, privateKey, publicKeyOf(generateEcKeyPair().publicJwk)]) {
      expect(verifyEs256(key, INPUT, signature)).toBe(false);
    }
    const foreign = sign('sha256', Buffer.from(INPUT), { key: secp256k1.privateKey, dsaEncoding: 'ieee-p1363' });
    expect(verifyEs256(secp256k1.publicKey, INPUT, foreign)).toBe(false);
  });
});

describe('signEs256', () => {
  it('signs with nothing but a P-256 private key', () => {
    expect(signEs256(privateKey, INPUT)).toHaveLength(64);
    expect(() => signEs256(publicKey, INPUT)).toThrow(TypeError);
    expect(() => signEs256(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey, INPUT)).toThrow(TypeError);
  });
});

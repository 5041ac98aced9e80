import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { publicKeyOf, thumbprint } from './ec-public-jwk.js';
import { signEs256, verifyEs256 } from './es256.js';
import { exportSigningKey, generateSigningKey, importSigningKey } from './signing-key.js';

describe('signing keys', () => {
  it('are named for their thumbprint, and sign what their public half verifies', () => {
    const { keyId, publicJwk, privateKey } = generateSigningKey();
    expect(keyId).toBe(thumbprint(publicJwk));
    expect(verifyEs256(publicKeyOf(publicJwk), 'text', signEs256(privateKey, 'text'))).toBe(true);
  });

  it('come back from PKCS#8 as the same key', () => {
    const key = generateSigningKey();
    const again = importSigningKey(exportSigningKey(key));
    if (!again) throw new Error('not read again');
    expect(again.keyId).toBe(key.keyId);
    expect(again.publicJwk).toEqual(key.publicJwk);
    expect(verifyEs256(publicKeyOf(key.publicJwk), 'text', signEs256(again.privateKey, 'text'))).toBe(true);
  });

  it('are not read from anything else', () => {
    const good = exportSigningKey(generateSigningKey());
    const pkcs8 = { format: 'der', type: 'pkcs8' } as const;
    const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export(pkcs8);
    const ed25519 = generateKeyPairSync('ed25519').privateKey.export(pkcs8);
    for (const bad of [p384, ed25519, good.subarray(1), good.subarray(0, -1), Buffer.alloc(0), Buffer.alloc(138)]) {
      expect(importSigningKey(bad)).toBeUndefined();
    }
  });
});

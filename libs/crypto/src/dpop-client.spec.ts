import { describe, expect, it } from '@jest/globals';
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify } from 'jose';
import { createProof, generateDeviceKey } from './dpop-client.js';
import { checkProofForm } from './dpop-proof.js';
import { checkProofClaims } from './dpop-proof-claims.js';

const device = generateDeviceKey();
const NOW = 1_800_000_000;
const REQUEST = { htm: 'POST', htu: 'https://play.example.com/v1/licenses', nowSeconds: NOW, jti: 'j1' };

describe('createProof', () => {
  it('makes a proof that our own checks take', () => {
    const proof = createProof({ ...device, ...REQUEST, accessToken: 'token', nonce: 'nonce' });
    const form = checkProofForm(proof);
    if (!form.ok) throw new Error(form.reason);
    expect(form.proof.thumbprint).toBe(device.deviceId);
    expect(form.proof.claims.nonce).toBe('nonce');
    expect(checkProofClaims(form.proof.claims, { ...REQUEST, accessToken: 'token' })).toMatchObject({ ok: true });
  });

  it('makes a proof that jose verifies by the key in it', async () => {
    const proof = createProof({ ...device, ...REQUEST, nowSeconds: NOW + 0.9 });
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: ['ES256'],
      currentDate: new Date(NOW * 1_000),
    });
    expect(payload).toEqual({ jti: 'j1', htm: REQUEST.htm, htu: REQUEST.htu, iat: NOW });
    expect(protectedHeader.jwk).toEqual(device.publicJwk);
    expect(await calculateJwkThumbprint(device.publicJwk)).toBe(device.deviceId);
  });
});

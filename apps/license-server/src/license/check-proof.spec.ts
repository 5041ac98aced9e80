import { createProof, generateDeviceKey, type ProofRequest } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { checkProof } from './check-proof.js';

const NOW = 1_800_000_000;
const licenseUrl = 'https://play.example/v1/licenses';
const device = generateDeviceKey();
const request: ProofRequest = { ...device, htm: 'POST', htu: licenseUrl, accessToken: 'a.b.c', nonce: 'good', nowSeconds: NOW, jti: 'j1' };

const check = (proof: string): unknown =>
  checkProof({ ok: true, token: 'a.b.c', proof }, { licenseUrl, nowSeconds: NOW, isFreshNonce: (nonce) => nonce === 'good' });

describe('checkProof', () => {
  it('says whose proof it is', () => {
    expect(check(createProof(request))).toEqual({ ok: true, deviceId: device.deviceId, jti: 'j1', iatSeconds: NOW });
  });

  it.each<[string, string, string, string]>([
    ['no proof', '', 'proof', 'missing'],
    ['a proof in bad form', 'x.y.z', 'proof', 'proof-not-jws'],
    ['a forged proof', createProof({ ...request, publicJwk: generateDeviceKey().publicJwk }), 'proof', 'signature'],
    ['a proof for another method', createProof({ ...request, htm: 'GET' }), 'proof', 'htm'],
    ['a proof for another URL', createProof({ ...request, htu: `${licenseUrl}/` }), 'proof', 'htu'],
    ['an old proof', createProof({ ...request, nowSeconds: NOW - 61 }), 'proof', 'iat-window'],
    ['a proof for another token', createProof({ ...request, accessToken: 'd.e.f' }), 'proof', 'ath'],
    ['a proof without a nonce', createProof({ ...request, nonce: undefined }), 'nonce', 'missing'],
    ['a proof with an old nonce', createProof({ ...request, nonce: 'old' }), 'nonce', 'not-fresh'],
    ['a proof that is wrong besides its nonce', createProof({ ...request, nonce: 'old', htm: 'GET' }), 'proof', 'htm'],
  ])('refuses %s', (_, proof, stage, reason) => {
    expect(check(proof)).toEqual({ ok: false, stage, reason });
  });
});

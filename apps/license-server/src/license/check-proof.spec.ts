import { createProof, generateDeviceKey, type ProofRequest } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { checkProof } from './check-proof.js';

const NOW = 1_800_000_000;
const licenseUrl = 'https://play.example/v1/licenses';
const device = generateDeviceKey();
const request: ProofRequest = { ...device, htm: 'POST', htu: licenseUrl, accessToken: 'a.b.c', nonce: 'good', nowSeconds: NOW, jti: 'j1' };

const check = (proof: string): unknown =>
  checkProof({ ok: true, token: 'a.b.c', proof }, { method: 'POST', url: licenseUrl, nowSeconds: NOW, isFreshNonce: (nonce) => nonce === 'good' });

describe('checkProof', () => {
  it('says whose proof it is', () => {
    expect(check(createProof(request))).toEqual({ ok: true, deviceId: device.deviceId, jti: 'j1', iatSeconds: NOW });
  });

  it('looks at the nonce last, so that nobody is sent for one whose proof would be refused with it all the same', () => {
    expect(check(createProof({ ...request, nonce: 'old' }))).toEqual({ ok: false, stage: 'nonce', reason: 'not-fresh' });
    expect(check(createProof({ ...request, nonce: 'old', htm: 'GET' }))).toEqual({ ok: false, stage: 'proof', reason: 'htm' });
  });

  it.each([-61, 61])('takes a proof whose clock is off by a minute and not by %i seconds', (seconds) => {
    expect(check(createProof({ ...request, nowSeconds: NOW + seconds - Math.sign(seconds) }))).toMatchObject({ ok: true });
    expect(check(createProof({ ...request, nowSeconds: NOW + seconds }))).toEqual({ ok: false, stage: 'proof', reason: 'iat-window' });
  });

  it.each<[string, string, object]>([
    ['no proof', '', { stage: 'proof', reason: 'missing' }],
    ['what is no proof', 'a.b', { stage: 'proof', reason: 'proof-not-jws' }],
    ['a proof with a part too many', `${createProof(request)}.x`, { stage: 'proof', reason: 'proof-not-jws' }],
    ['no nonce', createProof({ ...request, nonce: undefined }), { stage: 'nonce', reason: 'missing' }],
    ['no nonce and other claims', createProof({ ...request, nonce: undefined, htm: 'GET' }), { stage: 'proof', reason: 'htm' }],
  ])('refuses %s', (_, proof, refusal) => {
    expect(check(proof)).toEqual({ ok: false, ...refusal });
  });
});

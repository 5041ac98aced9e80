import { describe, expect, it } from '@jest/globals';
import { type LicenseRefusal, problemOf, refuse } from './refusal.js';

const plain = 'DPoP algs="ES256"';
const proof = `${plain}, error="invalid_dpop_proof"`;
const nonce = `${plain}, error="use_dpop_nonce"`;
const token = `${plain}, error="invalid_token"`;

describe('problemOf', () => {
  it.each<[LicenseRefusal, number, string, string | undefined]>([
    [refuse('transport', 'no-credentials'), 401, 'unauthenticated', plain],
    [refuse('transport', 'other-scheme'), 401, 'unauthenticated', plain],
    [refuse('transport', 'bearer-scheme'), 401, 'invalid-token', token],
    [refuse('transport', 'credentials-repeated'), 400, 'invalid-request', undefined],
    [refuse('transport', 'credentials-malformed'), 400, 'invalid-request', undefined],
    [refuse('transport', 'proof-repeated'), 400, 'invalid-request', undefined],
    [refuse('proof', 'missing'), 401, 'invalid-dpop-proof', proof],
    [refuse('proof', 'htu'), 401, 'invalid-dpop-proof', proof],
    [refuse('replay', 'proof-used'), 401, 'invalid-dpop-proof', proof],
    [refuse('nonce', 'missing'), 401, 'use-dpop-nonce', nonce],
    [refuse('nonce', 'not-fresh'), 401, 'use-dpop-nonce', nonce],
    [refuse('token', 'expired'), 401, 'invalid-token', token],
    [refuse('binding', 'other-key'), 401, 'invalid-token', token],
    [refuse('binding', 'proof-needed'), 401, 'invalid-token', token],
    [refuse('binding', 'other-device'), 409, 'device-mismatch', undefined],
    [refuse('token', 'other-merchant'), 401, 'invalid-token', token],
    [refuse('rights', 'token-revoked'), 401, 'invalid-token', token],
    [refuse('registration', 'cookie-expired'), 401, 'invalid-token', token],
    [refuse('body', 'kids-count'), 400, 'invalid-request', undefined],
    [refuse('body', 'unknown-member'), 400, 'unknown-member', undefined],
    [refuse('registration', 'cookie-bound-elsewhere'), 403, 'cookie-bound-elsewhere', undefined],
    [refuse('registration', 'device-revoked'), 403, 'device-revoked', undefined],
    [refuse('rights', 'device-revoked'), 403, 'device-revoked', undefined],
    [refuse('rights', 'kid-not-in-token'), 403, 'kid-not-in-token', undefined],
    [refuse('rights', 'rental-expired'), 403, 'rental-expired', undefined],
    [refuse('rights', 'rental-not-started'), 403, 'rental-not-started', undefined],
    [refuse('unavailable', 'database'), 503, 'unavailable', undefined],
  ])('answers %j with %i %s', (refusal, status, code, challenge) => {
    const problem = problemOf(refusal);
    expect([problem.status, problem.code, problem.headers['www-authenticate']]).toEqual([status, code, challenge]);
    expect(problem.retryAfterSeconds).toBe(status === 503 ? 1 : undefined);
  });

  it('names the broken rule of a body, and nothing of what was sent', () => {
    expect(problemOf(refuse('body', 'kids-repeated')).errors).toEqual([{ path: '/kids', message: 'must all be different' }]);
  });

  it('keeps the reason for which a proof or a token is refused to itself', () => {
    expect(problemOf(refuse('proof', 'htu')).toDocument()).toEqual(problemOf(refuse('proof', 'ath')).toDocument());
    expect(problemOf(refuse('token', 'aud')).toDocument()).toEqual(problemOf(refuse('rights', 'token-revoked')).toDocument());
  });
});

import type { ContentClaims, LatchkeyToken, RegistrationClaims } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { refuseToken } from './check-token.js';

const NOW = 1_800_000_000;
const parties = { iss: 'latchkey', aud: 'https://play.example/v1/licenses' };
const envelope = { ...parties, iat: NOW - 10, exp: NOW + 10, jti: 't1', merchant: 'm1', cookie: 'c1' };
const contentClaims: ContentClaims = { ...envelope, content: 'film', kids: [], keys: [], rights: { type: 'purchase' }, cnf: { jkt: 'device-1' } };
const registrationClaims: RegistrationClaims = { ...envelope, account: 'a1', cookie_exp: NOW + 10 };

const content = (claims: Partial<ContentClaims> = {}): LatchkeyToken => ({ ok: true, kind: 'content', keyId: 'k', claims: { ...contentClaims, ...claims }, verify: () => true });
const registration = (claims: Partial<RegistrationClaims> = {}): LatchkeyToken => ({
  ok: true,
  kind: 'registration',
  keyId: 'k',
  claims: { ...registrationClaims, ...claims },
  verify: () => true,
});

describe('refuseToken', () => {
  it.each<[string, LatchkeyToken]>([
    ['a content token of this device', content()],
    ['a registration token of nobody', registration()],
    ['a registration token narrowed to this device', registration({ cnf: { jkt: 'device-1' } })],
    ['a token of the last second', content({ exp: NOW + 1 })],
  ])('lets %s through', (_, token) => {
    expect(refuseToken(token, 'device-1', parties, NOW)).toBeUndefined();
  });

  it.each<[string, LatchkeyToken, string, string]>([
    ['an expired token', content({ exp: NOW }), 'token', 'expired'],
    ['a token of the future', content({ iat: NOW + 100, exp: NOW + 200 }), 'token', 'iat-in-future'],
    ['an expired registration token', registration({ exp: NOW }), 'token', 'expired'],
  ])('refuses %s', (_, token, stage, reason) => {
    expect(refuseToken(token, 'device-1', parties, NOW)).toEqual({ ok: false, stage, reason });
  });
});

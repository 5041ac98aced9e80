import type { ContentClaims, LatchkeyToken, RegistrationClaims } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { refuseAssertedDevice, refuseKey, refuseKids, refuseToken } from './check-token.js';

const NOW = 1_800_000_000;
const parties = { iss: 'latchkey', aud: 'https://play.example/v1/licenses' };
const envelope = { ...parties, iat: NOW - 10, exp: NOW + 10, jti: 't1', merchant: 'm1', cookie: 'c1' };
const contentClaims: ContentClaims = { ...envelope, content: 'film', kids: [], keys: [], rights: { type: 'purchase' } };
const registrationClaims: RegistrationClaims = { ...envelope, account: 'a1', cookie_exp: NOW + 10 };
const cnf = { jkt: 'device-1' };

const content = (claims: Partial<ContentClaims> = { cnf }): LatchkeyToken => ({ ok: true, kind: 'content', keyId: 'k', claims: { ...contentClaims, ...claims }, verify: () => true });
const registration = (claims: Partial<RegistrationClaims> = {}): LatchkeyToken => ({
  ok: true,
  kind: 'registration',
  keyId: 'k',
  claims: { ...registrationClaims, ...claims },
  verify: () => true,
});

describe('refuseToken', () => {
  it.each<[string, LatchkeyToken]>([
    ['a content token', content()],
    ['a registration token', registration()],
    ['a token of the last second', content({ exp: NOW + 1 })],
  ])('lets %s through', (_, token) => {
    expect(refuseToken(token, parties, NOW)).toBeUndefined();
  });

  it.each<[string, LatchkeyToken, string]>([
    ['an expired token', content({ exp: NOW }), 'expired'],
    ['a token of the future', content({ iat: NOW + 100, exp: NOW + 200 }), 'iat-in-future'],
    ['an expired registration token', registration({ exp: NOW }), 'expired'],
    ['a token of another issuer', content({ iss: 'somebody' }), 'iss'],
    ['a token for another deployment', registration({ aud: 'https://other.example/v1/licenses' }), 'aud'],
  ])('refuses %s', (_, token, reason) => {
    expect(refuseToken(token, parties, NOW)).toEqual({ ok: false, stage: 'token', reason });
  });
});

describe('a token', () => {
  it.each<[string, LatchkeyToken, string | undefined, string | undefined]>([
    ['of content for this key', content({ cnf }), undefined, 'proof-needed'],
    ['of content for another key', content({ cnf: { jkt: 'device-2' } }), 'other-key', 'proof-needed'],
    ['of content for this asserted device', content({ device: 'device-1' }), 'no-confirmation', undefined],
    ['of content for another asserted device', content({ device: 'device-2' }), 'no-confirmation', 'other-device'],
    ['of content for nobody, which no reader lets through', content({}), 'no-confirmation', 'other-device'],
    ['to register anybody', registration(), undefined, undefined],
    ['to register this key', registration({ cnf }), undefined, 'proof-needed'],
    ['to register another key', registration({ cnf: { jkt: 'device-2' } }), 'other-key', 'proof-needed'],
  ])('%s is refused to who proves device-1 as %s, and to who is said to be device-1 as %s', (_, token, proven, asserted) => {
    const refusals = [refuseKey(token, 'device-1'), refuseAssertedDevice(token, 'device-1')];
    expect(refusals).toEqual([proven, asserted].map((reason) => reason && { ok: false, stage: 'binding', reason }));
  });
});

describe('refuseKids', () => {
  const claims: ContentClaims = { ...contentClaims, kids: ['a', 'b'] };

  it.each([[[]], [['a']], [['b', 'a']]])('lets %j of a token with a and b through', (kids) => {
    expect(refuseKids(claims, kids)).toBeUndefined();
  });

  it.each([[['c']], [['a', 'c']], [['c', 'a']], [['a', 'b', 'A']]])('refuses %j: one that is not in the token is enough', (kids) => {
    expect(refuseKids(claims, kids)).toEqual({ ok: false, stage: 'rights', reason: 'kid-not-in-token' });
  });
});

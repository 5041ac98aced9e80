import type { CookieView } from '@latchkey/contracts';
import { generateDeviceKey } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { decideRegistration } from './registration-token.js';

const now = new Date('2026-11-23T12:00:00.500Z');
const iat = Date.parse('2026-11-23T12:00:00Z') / 1000;
const options = { iss: 'latchkey', aud: 'https://licenses.example/v1/licenses', now, ttlSeconds: 600, jti: 'reg_1' };
const request = { merchantId: 'default', cookie: 'cookie-1' };
const cookie = (change: Partial<CookieView> = {}): CookieView => ({
  cookie: 'cookie-1',
  accountId: 'alice',
  state: 'pending',
  expiresAt: '2026-11-23T13:00:00.700Z',
  ...change,
});

describe('a registration token', () => {
  it('lives for its ten minutes and carries the cookie’s end', () => {
    const decision = decideRegistration(request, cookie(), options);
    expect(decision).toMatchObject({ kind: 'mint', claims: { iat, exp: iat + 600, cookie_exp: iat + 3600, account: 'alice', merchant: 'default' } });
    expect(decision).not.toHaveProperty('claims.cnf');
  });

  it('does not outlive its cookie', () => {
    const decision = decideRegistration(request, cookie({ expiresAt: '2026-11-23T12:05:00Z' }), options);
    expect(decision).toMatchObject({ claims: { exp: iat + 300 } });
  });

  it('can be narrowed to one key', () => {
    const { deviceId } = generateDeviceKey();
    expect(decideRegistration({ ...request, deviceId }, cookie(), options)).toMatchObject({ claims: { cnf: { jkt: deviceId } } });
  });

  it.each([
    ['an expired cookie', cookie({ state: 'expired' }), {}, 'cookie-expired'],
    ['a cookie in its last second', cookie({ expiresAt: '2026-11-23T12:00:00.900Z' }), {}, 'cookie-expired'],
    ['a bound cookie, even when it is over', cookie({ state: 'bound', expiresAt: '2026-11-23T11:00:00Z' }), {}, 'cookie-bound'],
    ['a device id that no key has', cookie(), { deviceId: 'ABC' }, 'device-id-not-a-thumbprint'],
  ])('is refused for %s', (_, view, change, code) => {
    expect(decideRegistration({ ...request, ...change }, view, options)).toEqual({ kind: 'refuse', code });
  });
});

import { describe, expect, it } from '@jest/globals';
import type { ProviderDrm, TokenProvider } from './token-providers.js';
import { fitsUpstream, tokenForm, upstreamExpiry } from './upstream-request.js';

const now = new Date('2026-11-23T12:00:00.400Z');
const provider = (drm: ProviderDrm): TokenProvider => ({
  merchantId: 'acme',
  drm,
  tokenUrl: new URL('https://gen.example/'),
  recordUrl: new URL('https://api.example/'),
  customerAuthenticator: '1,ab',
  timeoutMs: 1_000,
  securityLevel: 3,
  hdcpOutputControl: 1,
  iv: '11'.repeat(16),
});
const rental = { type: 'rental' as const, availableUntil: '2026-11-25T12:00:00.900Z', playDurationSeconds: 3_600 };
const terms = { cookie: 'cookie-1', deviceId: 'ab'.repeat(16), kid: '00'.repeat(16), contentKey: 'a9'.repeat(16), rights: { type: 'purchase' as const } };
const common = { customerAuthenticator: '1,ab', errorFormat: 'json', kid: terms.kid, contentKey: terms.contentKey, cookie: 'cookie-1', deviceId: terms.deviceId, expirationTime: '+59' };
const form = (drm: ProviderDrm, change: object = {}) =>
  Object.fromEntries(tokenForm(provider(drm), { ...terms, ...change }, { now, expiresAt: new Date('2026-11-23T12:01:00Z') }));

describe('what is asked upstream', () => {
  it.each<[ProviderDrm, string, object, object]>([
    ['pr', 'a purchase', {}, { rightsType: 'BuyToOwn' }],
    ['pr', 'a rental', { rights: rental }, { rightsType: 'Rental', 'rental.periodEndTime': '2026-11-25T12:00:00Z', 'rental.playDuration': '3600' }],
    ['wv', 'a purchase', {}, { securityLevel: '3', hdcpOutputControl: '1' }],
    ['wv', 'a rental', { rights: rental }, { securityLevel: '3', hdcpOutputControl: '1', licenseDuration: '3600' }],
    ['wv', 'a rental that is nearly over', { rights: { ...rental, availableUntil: '2026-11-23T12:00:30Z' } }, { securityLevel: '3', hdcpOutputControl: '1', licenseDuration: '29' }],
    ['fp', 'a purchase', {}, { iv: '11'.repeat(16) }],
    ['fp', 'a rental', { rights: rental }, { iv: '11'.repeat(16), rentalDuration: '3600' }],
    ['fp', 'a rental that is over, not one for ever', { rights: { ...rental, availableUntil: '2026-11-01T00:00:00Z' } }, { iv: '11'.repeat(16), rentalDuration: '1' }],
  ])('%s: %s', (drm, _, change, expected) => {
    expect(form(drm, change)).toEqual({ ...common, ...expected });
  });

  it('is no device where one is to be registered', () => {
    expect(form('pr', { deviceId: undefined })).not.toHaveProperty('deviceId');
  });
});

describe('what a token elsewhere can say', () => {
  const kids = ['00'.repeat(16)];
  it.each([
    ['one kid', { kids, rights: rental }, true],
    ['two kids', { kids: [...kids, '11'.repeat(16)], rights: rental }, false],
    ['what began', { kids, rights: { ...rental, availableFrom: '2026-11-23T12:00:00Z' } }, true],
    ['what is over', { kids, rights: { ...rental, availableUntil: '2026-11-23T12:00:00.400Z' } }, false],
    ['what begins later', { kids, rights: { ...rental, availableFrom: '2026-11-23T12:00:01Z' } }, false],
  ])('%s', (_, wanted, fits) => {
    expect(fitsUpstream(wanted, now)).toBe(fits);
  });
});

describe('the expiry of a token', () => {
  it.each([
    ['of a purchase, on a whole second', { type: 'purchase' as const }, 60, '2026-11-23T12:01:00.000Z'],
    ['of a rental that lasts longer', rental, 60, '2026-11-23T12:01:00.000Z'],
    ['of a rental that ends before', rental, 30 * 86_400, '2026-11-25T12:00:00.000Z'],
    ['of a rental that is over, in the next second', { ...rental, availableUntil: '2026-01-01T00:00:00Z' }, 60, '2026-11-23T12:00:01.000Z'],
  ])('%s', (_, rights, ttlSeconds, expected) => {
    expect(upstreamExpiry(rights, ttlSeconds, now).toISOString()).toBe(expected);
  });
});

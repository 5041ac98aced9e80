import { describe, expect, it } from '@jest/globals';
import { comparableRequest, decideDirectToken } from './direct-token.js';

const device = { deviceId: 'device-1', evidence: 'proof' as const, revoked: false, confidenceRefused: false };
const later = new Date('2026-11-23T13:00:00Z');

describe('a token without a purchase', () => {
  it.each([
    ['is issued to the bound device', {}, { device, registryAsked: true }, true, { kind: 'issue', device }],
    ['is issued to the device that it names', { deviceId: 'device-1' }, { device, registryAsked: true }, true, { kind: 'issue', device }],
    ['is refused without a device', {}, { expiresAt: later, registryAsked: true }, true, { kind: 'refuse', code: 'device-not-registered' }],
    ['is refused for an unknown cookie', {}, { registryAsked: true }, true, { kind: 'refuse', code: 'cookie-unknown' }],
    ['is refused to another device', { deviceId: 'device-2' }, { device, registryAsked: true }, true, { kind: 'refuse', code: 'device-mismatch' }],
    ['is refused to a revoked device', {}, { device: { ...device, revoked: true }, registryAsked: true }, true, { kind: 'refuse', code: 'device-revoked' }],
    ['is refused to a device of whose id too little is sure', {}, { device: { ...device, confidenceRefused: true }, registryAsked: true }, true, { kind: 'refuse', code: 'device-confidence-refused' }],
    ['is refused for an unknown kid', {}, { device, registryAsked: true }, false, { kind: 'refuse', code: 'kid-unknown' }],
  ])('%s', (_, request, cookie, kidsKnown, expected) => {
    expect(decideDirectToken(request, cookie, kidsKnown)).toEqual(expected);
  });
});

describe('a request under an idempotency key', () => {
  const kids = ['a'.repeat(32), 'b'.repeat(32)];
  const given = { merchantId: 'default', cookie: 'cookie-1', contentId: 'film-42', kids, rights: { type: 'purchase' as const }, idempotencyKey: 'once' };

  it('is the same with kids in another order', () => {
    expect(comparableRequest({ ...given, kids: [...kids].reverse() })).toBe(comparableRequest(given));
  });

  it.each([
    ['another content', { contentId: 'film-43' }],
    ['another lifetime', { ttlSeconds: 60 }],
    ['a device named', { deviceId: 'device-1' }],
    ['keys that come along', { keys: { [kids[0]!]: '00'.repeat(16) } }],
  ])('is another with %s', (_, change) => {
    expect(comparableRequest({ ...given, ...change })).not.toBe(comparableRequest(given));
  });

  it('holds no content key', () => {
    expect(comparableRequest({ ...given, keys: { [kids[0]!]: '5a'.repeat(16) } })).not.toContain('5a5a');
  });
});

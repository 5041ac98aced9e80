import { describe, expect, it } from '@jest/globals';
import { type BindingSituation, decideBinding, decideRevocation, type DeviceIdentity, recordOf } from './device.js';

const noon = new Date('2026-11-23T12:00:00.000Z');
const later = new Date(noon.getTime() + 1);
const device: DeviceIdentity = { evidence: 'proof', deviceId: 'the-device' };
const other: DeviceIdentity = { evidence: 'proof', deviceId: 'another' };
const asserted: DeviceIdentity = { evidence: 'asserted', deviceId: 'the-device' };
const free: BindingSituation = { revoked: false, boundTo: undefined, cookieExpiresAt: later };

describe('a device that comes with a registration token', () => {
  it.each([
    { given: 'a cookie that waits', situation: free, then: 'bind' },
    { given: 'a cookie that expires this instant', situation: { ...free, cookieExpiresAt: noon }, then: 'cookie-expired' },
    { given: 'its own cookie', situation: { ...free, boundTo: { ...device } }, then: 'bound-again' },
    { given: 'its own cookie after its expiry', situation: { ...free, boundTo: { ...device }, cookieExpiresAt: noon }, then: 'bound-again' },
    { given: 'the cookie of another', situation: { ...free, boundTo: other }, then: 'cookie-bound-elsewhere' },
    { given: 'the expired cookie of another', situation: { ...free, boundTo: other, cookieExpiresAt: noon }, then: 'cookie-bound-elsewhere' },
    { given: 'the cookie of its id with other evidence', situation: { ...free, boundTo: asserted }, then: 'cookie-bound-elsewhere' },
    { given: 'a revocation', situation: { ...free, revoked: true }, then: 'device-revoked' },
    { given: 'a revocation after it was bound', situation: { ...free, revoked: true, boundTo: { ...device } }, then: 'device-revoked' },
    { given: 'a revocation and the cookie of another', situation: { ...free, revoked: true, boundTo: other }, then: 'device-revoked' },
    { given: 'a revocation and an expired cookie', situation: { ...free, revoked: true, cookieExpiresAt: noon }, then: 'device-revoked' },
  ])('given $given, it is $then', ({ situation, then }) => {
    expect(decideBinding(device, situation, noon)).toBe(then);
  });
});

describe('a revocation', () => {
  it.each([
    { given: 'no device', devices: [], then: 'device-unknown' },
    { given: 'a device', devices: [{ revokedAt: null }], then: 'revoke' },
    { given: 'a revoked device', devices: [{ revokedAt: noon }], then: 'revoked-already' },
    { given: 'two, of which one is revoked', devices: [{ revokedAt: noon }, { revokedAt: null }], then: 'revoke' },
  ])('given $given, it is $then', ({ devices, then }) => {
    expect(decideRevocation(devices)).toBe(then);
  });
});

describe('a record', () => {
  const binding = { merchantId: 'default', cookie: 'crumb', accountId: 'alice', ...device, stated: null, registeredAt: noon, revokedAt: null };

  it('shows a binding without its merchant', () => {
    expect(recordOf(binding)).toEqual({
      cookie: 'crumb', accountId: 'alice', deviceId: 'the-device', evidence: 'proof', confidence: 'proof', state: 'active', registeredAt: '2026-11-23T12:00:00.000Z',
    });
  });

  it('says what was stated of an asserted id, and that nothing was', () => {
    expect(recordOf({ ...binding, evidence: 'asserted', stated: 'software' }).confidence).toBe('software');
    expect(recordOf({ ...binding, evidence: 'asserted' }).confidence).toBe('unknown');
  });

  it('says that the device is revoked', () => expect(recordOf({ ...binding, revokedAt: later }).state).toBe('revoked'));
});

import { describe, expect, it } from '@jest/globals';
import { deviceIdFault, drms, normaliseDeviceId } from './normalise-device-id.js';

describe('the spelling of a device id', () => {
  it.each([
    { id: 'a PlayReady id', text: 'ABCDEF0123456789abcdef0123456789', then: 'abcdef0123456789abcdef0123456789' },
    { id: 'a FairPlay id', text: 'ABCDEF0123456789abcdef0123456789ABCDEF01', then: 'abcdef0123456789abcdef0123456789abcdef01' },
    { id: 'a thumbprint', text: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I', then: '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I' },
    { id: 'something else of 32 characters', text: 'GBCDEF0123456789abcdef0123456789', then: 'GBCDEF0123456789abcdef0123456789' },
    { id: 'hex digits of another number', text: 'ABCDEF', then: 'ABCDEF' },
  ])('of $id is $then', ({ text, then }) => {
    expect(normaliseDeviceId(text)).toBe(then);
  });
});

describe('the form of a device id', () => {
  const [playReady, fairPlay] = ['A1'.repeat(16), 'b2'.repeat(20)];
  it.each([
    ['playready', playReady],
    ['playready', playReady.toLowerCase()],
    ['fairplay', fairPlay],
    ['widevine', 'any visible id, it is said'.replaceAll(' ', '_')],
    ['widevine', playReady],
    ['other', 'x'],
  ] as const)('of %s may be %s', (drm, deviceId) => {
    expect(deviceIdFault(drm, deviceId)).toBeUndefined();
  });

  it.each([
    ['playready', fairPlay],
    ['playready', `${playReady.slice(2)}zz`],
    ['playready', `${playReady}0`],
    ['playready', 'a1a1a1a1-a1a1-a1a1-a1a1-a1a1a1a1a1a1'],
    ['fairplay', playReady],
    ['fairplay', `${fairPlay.slice(2)}zz`],
  ] as const)('of %s may not be %s', (drm, deviceId) => {
    expect(deviceIdFault(drm, deviceId)).toMatch(/^must be (?:32|40) hex digits/);
  });

  it('is known of every DRM', () => {
    expect(drms.map((drm) => [drm, deviceIdFault(drm, '') === undefined])).toEqual([['widevine', true], ['playready', false], ['fairplay', false], ['other', true]]);
  });
});

import { operations } from '@latchkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { textToBase64url } from './base64url.js';
import { deviceTokensUrlOf, licenseUrlOf } from './license-url.js';

const tokenFor = (aud: unknown): string => `e30.${textToBase64url(JSON.stringify({ aud }))}.c2ln`;

describe('the licence URL', () => {
  it('is the one that the app was given, else the audience of the token', () => {
    const token = tokenFor('https://play.example/v1/licenses');
    expect(licenseUrlOf(token, undefined)).toBe('https://play.example/v1/licenses');
    expect(licenseUrlOf(token, 'https://other.example/v1/licenses')).toBe('https://other.example/v1/licenses');
  });

  it.each(['', 'x', 'a.!.c', tokenFor(undefined), tokenFor(7), tokenFor('javascript:alert(1)'), tokenFor(['https://play.example'])])('is not in %j', (token) => {
    expect(() => licenseUrlOf(token, undefined)).toThrow(expect.objectContaining({ code: 'no-license-url', action: 'fetch-new-token' }));
  });
});

it.each(['https://play.example/v1/licenses', 'https://licenses', 'https://play.example/drm', 'https://play.example/licenses/', 'https://play.example/licenses/licenses'])(
  'the URL of the tokens beside %s is the one that the server has',
  (licenseUrl) => {
    expect(deviceTokensUrlOf(licenseUrl)).toBe(operations.deviceTokensUrlOf(licenseUrl));
  },
);

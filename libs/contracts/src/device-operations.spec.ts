import { describe, expect, it } from '@jest/globals';
import { deviceTokensUrlOf } from './device-operations.js';

describe('the URL of a device’s tokens', () => {
  it.each([
    ['https://play.example/v1/licenses', 'https://play.example/v1/device/tokens'],
    ['http://127.0.0.1:8080/v1/licenses', 'http://127.0.0.1:8080/v1/device/tokens'],
    ['https://play.example/licenses/v1/licenses', 'https://play.example/licenses/v1/device/tokens'],
    ['https://licenses', 'https://licenses/device/tokens'],
    ['https://Play.example:443/%761/licenses', 'https://Play.example:443/%761/device/tokens'],
    ['https://play.example/drm', 'https://play.example/drm/device/tokens'],
    ['https://play.example/v1/licenses/', 'https://play.example/v1/licenses//device/tokens'],
  ])('beside %s is %s', (licenseUrl, expected) => {
    expect(deviceTokensUrlOf(licenseUrl)).toBe(expected);
  });
});

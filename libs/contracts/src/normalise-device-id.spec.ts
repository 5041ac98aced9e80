import { describe, expect, it } from '@jest/globals';
import { normaliseDeviceId } from './normalise-device-id.js';

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

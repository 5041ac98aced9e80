import { describe, expect, it } from '@jest/globals';
import { decodeBase64url, encodeBase64url } from './base64url.js';

describe('base64url', () => {
  it('gives back what was encoded, for every length and byte', () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = Buffer.from(Array.from({ length }, (_, index) => (index * 37 + length * 11) % 256));
      expect(decodeBase64url(encodeBase64url(bytes))).toEqual(bytes);
    }
  });

  it('encodes the view that it is given, not the memory behind it', () => {
    expect(encodeBase64url(new Uint8Array([1, 2, 3, 4]).subarray(1, 3))).toBe('AgM');
  });

  it.each([
    ['padding', 'AQ==', 'AQ'],
    ['padding of one', 'AQI=', 'AQI'],
    ['unused bits set, two characters', 'AR', 'AQ'],
    ['unused bits set, three characters', 'AQJ', 'AQI'],
    ['a length of 1 mod 4', 'AQIDB', 'AQIDBA'],
    ['a single character', 'A', 'AA'],
    ['the alphabet of base64, plus', '-_+_', '-_-_'],
    ['the alphabet of base64, slash', '-_-/', '-_-_'],
    ['a space within', 'AQ ID', 'AQID'],
    ['a line feed at the end', 'AQID\n', 'AQID'],
    ['a dot', 'AQ.ID', 'AQID'],
    ['a letter outside ASCII', 'AQIÐ', 'AQID'],
    ['a character whose low byte is in the alphabet', 'AQI\u0144', 'AQID'],
  ])('refuses %s', (_, bad, twin) => {
    expect(decodeBase64url(twin)).toBeInstanceOf(Buffer);
    expect(decodeBase64url(bad)).toBeUndefined();
  });
});

import { describe, expect, it } from '@jest/globals';
import { rightsOfToken } from './rights-of-token.js';
import { rights as schema } from './vocabulary.js';

describe('the rights that a token claims', () => {
  it.each([
    [{ type: 'purchase' }, { type: 'purchase' }],
    [{ type: 'purchase', available_from: 1_796_083_200 }, { type: 'purchase', availableFrom: '2026-12-01T00:00:00.000Z' }],
    [
      { type: 'rental', available_from: 1, available_until: 253_402_300_799, play_duration: 60 },
      { type: 'rental', availableFrom: '1970-01-01T00:00:01.000Z', availableUntil: '9999-12-31T23:59:59.000Z', playDurationSeconds: 60 },
    ],
  ] as const)('%j are %j', (claimed, rights) => {
    expect(rightsOfToken(claimed)).toEqual(rights);
    expect(schema.parse(rights)).toEqual(rights);
  });
});

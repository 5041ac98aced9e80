import { describe, expect, it } from '@jest/globals';
import { QueryFailedError } from 'typeorm';
import { isDatabaseAway } from './database-away.js';

const coded = (code: string): Error => Object.assign(new Error('x'), { code });

describe('isDatabaseAway', () => {
  it.each([
    coded('ECONNREFUSED'),
    coded('57P01'),
    new QueryFailedError('select 1', [], coded('08006')),
    new QueryFailedError('select 1', [], new Error('Connection terminated unexpectedly')),
    new Error('timeout exceeded when trying to connect'),
  ])('knows %s', (error) => {
    expect(isDatabaseAway(error)).toBe(true);
  });

  it.each([coded('23505'), new QueryFailedError('select', [], coded('42601')), new Error('Connection'), new TypeError('x'), undefined, 'ECONNREFUSED'])(
    'does not mistake %s for it',
    (error) => {
      expect(isDatabaseAway(error)).toBe(false);
    },
  );
});

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
    coded('25006'),
    coded('55P03'),
    coded('25P03'),
    coded('57P05'),
    new QueryFailedError('update', [], coded('25006')),
    new QueryFailedError('select 1', [], new Error('Query read timeout')),
    new Error('timeout exceeded when trying to connect'),
    new Error('timeout expired'),
    new Error('Connection terminated due to connection timeout', { cause: new Error('x') }),
    new Error('Client has encountered a connection error and is not queryable'),
    new Error('Client was closed and is not queryable'),
    new Error('Cannot use a pool after calling end on the pool'),
    new Error('the caller failed', { cause: coded('ECONNRESET') }),
  ])('knows %s', (error) => {
    expect(isDatabaseAway(error)).toBe(true);
  });

  it.each([coded('23505'), coded('57014'), new QueryFailedError('select', [], coded('42601')), new Error('Connection'), new TypeError('x'), undefined, 'ECONNREFUSED'])(
    'does not mistake %s for it',
    (error) => {
      expect(isDatabaseAway(error)).toBe(false);
    },
  );
});

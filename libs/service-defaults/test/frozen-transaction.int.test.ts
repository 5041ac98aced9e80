import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { inTransaction, isDatabaseAway, isTransient, Outbox } from '@latchkey/outbox';
import type { DataSource, QueryRunner } from 'typeorm';
import { createLogger, openDatabase } from '../src/index.js';

describe('a replica that is frozen within a transaction', () => {
  const logger = createLogger('cookie', 'silent');
  let database: TestDatabase;
  let frozen: DataSource;
  let healthy: DataSource;
  let holder: QueryRunner;
  const open = (): Promise<DataSource> =>
    openDatabase({ url: database.url, service: 'cookie', migrations: [], poolSizeMax: 2, logger }, 0);
  const increment = 'update things set times = times + 1';

  beforeEach(async () => {
    database = await createTestDatabase();
    [frozen, healthy] = [await open(), await open()];
    await healthy.query('create table things (times integer not null)');
    await healthy.query('insert into things values (0)');
    holder = frozen.createQueryRunner();
    await holder.startTransaction();
    await holder.query(increment);
  });
  afterEach(async () => {
    await holder.release();
    await Promise.all([frozen.destroy(), healthy.destroy()]);
    await database.drop();
  });

  it('has the others give up their wait for its lock, as for a part that is away', async () => {
    const waiting = inTransaction(healthy, (runner) => runner.query(increment));
    const error: unknown = await waiting.then(() => undefined, (reason: unknown) => reason);
    expect(error).toMatchObject({ code: '55P03' });
    expect([isTransient(error), isDatabaseAway(error)]).toEqual([true, true]);
    await holder.rollbackTransaction();
  });

  it('is ended by the server, after which a transaction of the others passes', async () => {
    // In place of the fifteen seconds.
    await holder.query('set local idle_in_transaction_session_timeout = 1');
    await new Outbox(healthy, []).transaction((tx) => tx.rows(increment));
    expect(await healthy.query('select times from things')).toEqual([{ times: 1 }]);
    await expect(holder.query('commit')).rejects.toThrow();
  });

  it('is ended sooner than a client gives up, and waiters sooner than it', async () => {
    await holder.rollbackTransaction();
    const names = ['lock_timeout', 'idle_in_transaction_session_timeout', 'statement_timeout'];
    const rows = await healthy.query<{ setting: string }[]>(
      `select setting from unnest($1::text[]) with ordinality as wanted (name, n) join pg_settings using (name)
       order by n`,
      [names],
    );
    const limitsMs = rows.map(({ setting }) => Number(setting));
    expect(limitsMs).toEqual([2_500, 15_000, 30_000]);
    const { query_timeout: clientMs } = (healthy.options as { extra: { query_timeout: number } }).extra;
    expect(Math.max(...limitsMs)).toBeLessThan(clientMs);
  });
});

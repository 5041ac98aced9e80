import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type CuttableProxy, createTestDatabase, openCuttableProxy, type TestDatabase } from '@latchkey/kits';
import { inTransaction } from '@latchkey/outbox';
import pg from 'pg';
import { DataSource } from 'typeorm';
import { DatabaseClient } from '../src/database-client.js';

/** A query fails after this long without an answer, in milliseconds. The test pauses the way for as long as it takes. */
const QUERY_TIMEOUT_MS = 300;

describe('a connection whose query was not answered in time', () => {
  let database: TestDatabase;
  let proxy: CuttableProxy;
  let dataSource: DataSource;

  const open = async (Client: typeof pg.Client): Promise<void> => {
    dataSource = await new DataSource({
      type: 'postgres',
      url: proxy.url,
      logger: 'debug',
      poolSize: 1,
      poolErrorHandler: () => undefined,
      extra: { Client, query_timeout: QUERY_TIMEOUT_MS },
    }).initialize();
    await dataSource.query('create table effects (id text)');
  };
  /** What a plain connection finds, past the proxy. */
  const effects = async (): Promise<string[]> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const { rows } = await client.query<{ id: string }>('select id from effects order by id');
    await client.end();
    return rows.map(({ id }) => id);
  };
  const insert = (id: string) => async (runner: { query(sql: string): Promise<unknown> }): Promise<void> => {
    await runner.query(`insert into effects values ('${id}')`);
  };

  beforeEach(async () => {
    database = await createTestDatabase();
    proxy = await openCuttableProxy(database.url);
  });
  afterEach(async () => {
    await dataSource.destroy();
    await proxy.close();
    await database.drop();
  });

  it('commits nothing of the transaction that failed with the work of the next caller', async () => {
    await open(DatabaseClient);
    const failing = inTransaction(dataSource, async (runner) => {
      await insert('thrown away')(runner);
      proxy.pause();
      await runner.query('select 1');
    });
    await expect(failing).rejects.toThrow('Query read timeout');
    proxy.resume();
    await inTransaction(dataSource, insert('kept'));
    expect(await effects()).toEqual(['kept']);
  });

  it('does so with any client of pg, if the rollback fails', async () => {
    await open(pg.Client);
    const failing = inTransaction(dataSource, async (runner) => {
      await insert('thrown away')(runner);
      proxy.pause();
      await runner.query('select 1');
    });
    await expect(failing).rejects.toThrow('Query read timeout');
    proxy.resume();
    await inTransaction(dataSource, insert('kept'));
    expect(await effects()).toEqual(['kept']);
  });

  it('does not keep the next statement waiting behind the old one', async () => {
    await open(DatabaseClient);
    const stuck = dataSource.query('select pg_sleep(600)');
    await expect(stuck).rejects.toThrow('Query read timeout');
    expect(await dataSource.query('select 1 as one')).toEqual([{ one: 1 }]);
  });

  it('is what happens without these measures: the next commit persists both', async () => {
    await open(pg.Client);
    const runner = dataSource.createQueryRunner();
    await runner.startTransaction();
    await insert('thrown away')(runner);
    proxy.pause();
    await expect(runner.query('select 1')).rejects.toThrow('Query read timeout');
    await runner.rollbackTransaction().catch(() => undefined);
    await runner.release();
    proxy.resume();
    await inTransaction(dataSource, insert('kept'));
    expect(await effects()).toEqual(['kept', 'thrown away']);
  });
});

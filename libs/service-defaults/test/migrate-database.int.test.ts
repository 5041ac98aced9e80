import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { Client } from 'pg';
import { DataSource } from 'typeorm';
import type { MigrationClass } from '../src/database.js';
import { Logger, type LogFields } from '../src/logger.js';
import { migrate, type MigrationPatience } from '../src/migrate-database.js';

const impatient: MigrationPatience = { lockTimeoutMs: 100, attemptsMax: 1_000, backoffMsMax: 50 };
/** The one that replicas of earlier versions wait for inside a statement. */
const MIGRATION_LOCK = '7205759403792794';

class RecordingLogger extends Logger {
  readonly warnings: string[] = [];
  debug(): void {}
  info(): void {}
  error(): void {}
  warn(message: string, _fields?: LogFields): void {
    this.warnings.push(message);
  }
}

type Up = (query: (statement: string) => Promise<unknown>) => Promise<unknown>;

let nextTimestamp = 1_800_000_000_000;
function migrationOf(transaction: boolean, up: Up): MigrationClass {
  const name = `MadeUp${(nextTimestamp += 1)}`;
  return class {
    readonly name = name;
    readonly transaction = transaction;
    async up(runner: { query(statement: string): Promise<unknown> }): Promise<void> {
      await up((statement) => runner.query(statement));
    }
    async down(): Promise<void> {}
  };
}

describe('the migration of a database', () => {
  let database: TestDatabase;
  let clients: Client[];
  let logger: RecordingLogger;

  beforeEach(async () => {
    database = await createTestDatabase();
    clients = [];
    logger = new RecordingLogger();
    const client = await connected();
    await client.query('create table things (thing_id integer, size integer)');
    await client.query('insert into things select n, 1 from generate_series(1, 1000) n');
  });
  afterEach(async () => {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
    await database.drop();
  });

  async function connected(): Promise<Client> {
    const client = new Client({ connectionString: database.url });
    client.on('error', () => undefined);
    await client.connect();
    clients.push(client);
    return client;
  }

  function migrated(patience: MigrationPatience, ...migrations: MigrationClass[]): Promise<void> {
    const dataSource = new DataSource({ type: 'postgres', url: database.url, poolSize: 2, logger: 'debug', migrations });
    return migrate(dataSource, logger, 0, patience);
  }

  async function indexes(): Promise<readonly string[]> {
    const client = await connected();
    const { rows } = await client.query<{ said: string }>(
      `select format('%s %s', indexrelid::regclass, indisvalid) as said from pg_index where indrelid = 'things'::regclass`,
    );
    return rows.map(({ said }) => said);
  }

  const addColumn = migrationOf(true, (query) => query('alter table things add column note text'));

  it('keeps no reader waiting behind a transaction that it has to wait for itself', async () => {
    const long = await connected();
    await long.query('begin');
    await long.query('select count(*) from things');
    const migrating = migrated(impatient, addColumn);
    const reader = await connected();
    await eventually(() => expect(logger.warnings.length).toBeGreaterThan(2));
    // Each of these would wait for the long transaction if the migration kept its place in the queue.
    for (let reads = 0; reads < 20; reads += 1) await reader.query('select count(*) from things');
    await long.query('commit');
    await migrating;
    await reader.query('select note from things limit 1');
  });

  it('builds an index while others read and write, and waits longer than a lock may', async () => {
    const long = await connected();
    await long.query('begin');
    await long.query('insert into things values (-1, 1)');
    const build = migrationOf(false, (query) => query('create index concurrently if not exists things_size on things (size)'));
    const migrating = migrated(impatient, build);
    const other = await connected();
    const buildWaits = `select from pg_stat_activity
      where datname = current_database() and query like 'create index%' and wait_event_type = 'Lock'
        and query_start < clock_timestamp() - interval '300 milliseconds'`;
    await eventually(async () => expect((await other.query(buildWaits)).rowCount).toBe(1));
    await other.query('insert into things values (-2, 2)');
    await other.query('update things set size = 3 where thing_id = 1');
    await other.query('select count(*) from things');
    await long.query('commit');
    await migrating;
    expect([await indexes(), logger.warnings]).toEqual([['things_size t'], []]);
  });

  it('ends with the error when the tables stay in use', async () => {
    const long = await connected();
    await long.query('begin');
    await long.query('lock table things in access share mode');
    await expect(migrated({ ...impatient, attemptsMax: 3 }, addColumn)).rejects.toMatchObject({ code: '55P03' });
    expect(logger.warnings).toHaveLength(2);
  });

  it('ends at once with an error that no waiting mends', async () => {
    const broken = migrationOf(true, (query) => query('alter table no_such_table add column note text'));
    await expect(migrated(impatient, broken)).rejects.toMatchObject({ code: '42P01' });
    expect(logger.warnings).toEqual([]);
  });

  it('drops an index whose build was interrupted, and builds it again', async () => {
    const client = await connected();
    await client.query('insert into things values (1, 1)');
    const build = 'create unique index concurrently if not exists things_id on things (thing_id)';
    await expect(client.query(build)).rejects.toMatchObject({ code: '23505' });
    expect(await indexes()).toEqual(['things_id f']);
    await client.query('delete from things where ctid = (select max(ctid) from things where thing_id = 1)');
    await migrated(impatient, migrationOf(false, (query) => query(build)));
    expect(await indexes()).toEqual(['things_id t']);
  });

  it('leaves an invalid index alone while nothing is to be migrated', async () => {
    const client = await connected();
    await client.query('insert into things values (1, 1)');
    await client.query('create unique index concurrently things_id on things (thing_id)').catch(() => undefined);
    await migrated(impatient);
    expect(await indexes()).toEqual(['things_id f']);
  });

  it('builds an index although a replica of an earlier version waits for the lock inside a statement', async () => {
    const old = await connected();
    let waiting: Promise<unknown> | undefined;
    const build = migrationOf(false, async (query) => {
      // PostgreSQL ends the circle at one of the two: the migration tries again, the old replica is started again.
      waiting ??= old
        .query(`select pg_advisory_lock(${MIGRATION_LOCK})`)
        .then(() => old.query('select pg_advisory_unlock_all()'))
        .catch((error: { code?: string }) => expect(error.code).toBe('40P01'));
      await query('create index concurrently if not exists things_size on things (size)');
    });
    await migrated(impatient, build);
    await waiting;
    expect(await indexes()).toEqual(['things_size t']);
  });

  it('runs each migration once when replicas start together', async () => {
    let runs = 0;
    const counted = migrationOf(true, (query) => query(`insert into things values (-${(runs += 1)}, 0)`));
    const build = migrationOf(false, (query) => query('create index concurrently if not exists things_size on things (size)'));
    await Promise.all(Array.from({ length: 4 }, () => migrated(impatient, counted, build)));
    expect([runs, await indexes()]).toEqual([1, ['things_size t']]);
  });
});

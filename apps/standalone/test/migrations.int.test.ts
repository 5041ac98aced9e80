import { describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { Client } from 'pg';
import { services } from '../src/services.js';
import { fillTables } from './fill-tables.js';
import { findBlockingStatements, type MigrationUnderWatch } from './migration-locks.js';

/** Runs `work` on a database of its own. */
async function withDatabase<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const database: TestDatabase = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
    await database.drop();
  }
}

async function countRows(client: Client): Promise<Record<string, number>> {
  const { rows: tables } = await client.query<{ name: string }>(
    `select relname as name from pg_class
      where relkind in ('r', 'p') and not relispartition and relnamespace = current_schema()::regnamespace`,
  );
  const counted: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await client.query<{ n: number }>(`select count(*)::int as n from ${name}`);
    counted[name] = rows[0]!.n;
  }
  return counted;
}

/** A migration class of these statements. */
function migrationOf(transaction: boolean | undefined, ...statements: string[]): MigrationUnderWatch {
  return class {
    readonly name = 'made up';
    readonly transaction = transaction;
    async up(runner: { query(statement: string): Promise<unknown> }): Promise<void> {
      for (const statement of statements) await runner.query(statement);
    }
  };
}

const isOutsideTransaction = (migration: MigrationUnderWatch): boolean => new migration().transaction === false;

/** Columns, indexes and constraints, and whether the last two are valid: what a second run must leave as it was. */
async function schemaOf(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ what: string }>(
    `select format('%s.%s %s %s %s', table_name, column_name, data_type, is_nullable, column_default) as what
       from information_schema.columns where table_schema = current_schema()
     union all select format('%s %s', pg_get_indexdef(indexrelid), indisvalid) from pg_index
       where indrelid in (select oid from pg_class where relnamespace = current_schema()::regnamespace)
     union all select format('%s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
       from pg_constraint where connamespace = current_schema()::regnamespace
     order by 1`,
  );
  return rows.map(({ what }) => what);
}

describe.each(services.map((service) => [service.messaging.service, service.migrations as readonly MigrationUnderWatch[]] as const))(
  'the migrations of %s',
  (_service, migrations) => {
    it('read no table while they lock one that the version before uses', async () => {
      expect(await withDatabase((client) => findBlockingStatements(client, migrations))).toEqual([]);
    });

    it('run on tables that have rows, and keep them', async () => {
      await withDatabase(async (client) => {
        for (const migration of migrations) {
          const before = await countRows(client);
          await findBlockingStatements(client, [migration]);
          const after = await countRows(client);
          const lost = Object.entries(before).filter(([table, rows]) => rows > (after[table] ?? 0));
          expect(lost).toEqual([]);
          await fillTables(client);
        }
      });
    });

    it('leave the same schema when one outside a transaction runs again because its end was not recorded', async () => {
      await withDatabase(async (client) => {
        for (const migration of migrations) {
          await findBlockingStatements(client, [migration]);
          if (!isOutsideTransaction(migration)) continue;
          const once = await schemaOf(client);
          await findBlockingStatements(client, [migration]);
          expect(await schemaOf(client)).toEqual(once);
        }
      });
    });
  },
);

describe('the watch over migrations', () => {
  const base = migrationOf(
    undefined,
    'create table owners (owner_id text primary key)',
    'create table things (thing_id text primary key, owner_id text, size integer)',
    'create index things_owner on things (owner_id)',
  );
  const blocking: readonly (readonly [string, ...string[]])[] = [
    ['an index built in place', 'create index things_size on things (size)'],
    ['a column with a volatile default', 'alter table things add column made_at timestamptz default clock_timestamp()'],
    ['another type', 'alter table things alter column size type bigint'],
    ['not null without a checked constraint', 'alter table things alter column size set not null'],
    ['a check on a new column', `alter table things add column kind text check (kind in ('a', 'b'))`],
    ['a check that is verified at once', 'alter table things add constraint positive check (size > 0)'],
    ['a foreign key that is verified at once', 'alter table things add foreign key (owner_id) references owners'],
    ['a unique constraint', 'alter table things add unique (owner_id)'],
    ['rows filled in after the column was added', 'alter table things add column note text', `update things set note = ''`],
    ['a constraint that is verified under the lock of the one before',
      'alter table things add constraint positive check (size > 0) not valid', 'alter table things validate constraint positive'],
  ];
  const harmless: readonly (readonly [string, ...string[]])[] = [
    ['a column', 'alter table things add column note text'],
    ['a column with a constant default', 'alter table things add column attempts integer not null default 0'],
    ['no longer not null', 'alter table things alter column thing_id drop not null'],
    ['a table with its indexes', 'create table others (id text references owners)', 'create index others_id on others (id)'],
    ['an index that goes', 'drop index things_owner'],
    ['rows filled in', `update things set size = 0`],
  ];

  /** `drop not null` needs a table whose column is in no primary key. */
  const run = (...statements: string[]) =>
    withDatabase(async (client) => {
      await findBlockingStatements(client, [base]);
      if (statements[0]?.includes('drop not null')) await client.query('alter table things drop constraint things_pkey');
      return findBlockingStatements(client, [migrationOf(undefined, ...statements)]);
    });

  it.each(blocking)('finds %s', async (_what, ...statements) => {
    expect(await run(...statements)).toHaveLength(1);
  });

  it.each(harmless)('lets %s pass', async (_what, ...statements) => {
    expect(await run(...statements)).toEqual([]);
  });

  it('fails where a column that must not be null meets rows', async () => {
    await withDatabase(async (client) => {
      await findBlockingStatements(client, [base]);
      const demanding = migrationOf(undefined, 'alter table things add column note text not null');
      await fillTables(client);
      await expect(findBlockingStatements(client, [demanding])).rejects.toMatchObject({ code: '23502' });
    });
  });

  it('lets an index that is built concurrently, and a constraint verified in its own transaction, pass', async () => {
    const gently = migrationOf(
      false,
      'create index concurrently if not exists things_size on things (size)',
      'alter table things add constraint positive check (size > 0) not valid',
      'alter table things validate constraint positive',
    );
    expect(await withDatabase((client) => findBlockingStatements(client, [base, gently]))).toEqual([]);
    const inPlace = migrationOf(false, 'create index things_size on things (size)');
    expect(await withDatabase((client) => findBlockingStatements(client, [base, inPlace]))).toHaveLength(1);
  });
});

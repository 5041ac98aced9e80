import type { Client } from 'pg';

/** What is used of a migration: its class as TypeORM takes it, whose statements go through `query` alone. */
export type MigrationUnderWatch = new () => {
  readonly name?: string;
  readonly transaction?: boolean;
  up(runner: never): Promise<unknown>;
};

/** A statement that keeps readers or writers of a table out for as long as it takes to read a table. */
export interface BlockingStatement {
  readonly migration: string;
  readonly statement: string;
  /** `table LockMode`, for each lock that was held while tables were read. */
  readonly locks: readonly string[];
  readonly read: readonly string[];
}

/** Locks that make writers of the table wait; the last one makes readers wait too. */
const BLOCKING_MODES = ['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock'];

/**
 * Runs migrations one statement at a time and finds those that lock a table which was there before while they read one
 * from end to end. PostgreSQL itself says both: `pg_locks` the locks, its statistics the scans. An index build, a
 * rewritten table and a constraint that is verified all count as a scan, whatever the table's size. So an empty database
 * is enough, and no clock is needed.
 */
export async function findBlockingStatements(
  client: Client,
  migrations: readonly MigrationUnderWatch[],
): Promise<readonly BlockingStatement[]> {
  const found: BlockingStatement[] = [];
  for (const migrationClass of migrations) {
    const migration = new migrationClass();
    const tables = await existingTables(client);
    const ownTransaction = migration.transaction !== false;
    const watched = async (statement: string, values?: unknown[]): Promise<unknown> => {
      const before = await countScans(client, tables);
      const { rows } = await client.query<Record<string, unknown>>(statement, values);
      const read = growing(before, await countScans(client, tables));
      const locks = await locksHeld(client, tables);
      const isBlocking = read.length > 0 && locks.length > 0;
      if (isBlocking) found.push({ migration: migration.name ?? migrationClass.name, statement, locks, read });
      return rows;
    };
    const query = async (statement: string, values?: unknown[]): Promise<unknown> => {
      if (ownTransaction) return watched(statement, values);
      // Refused inside a transaction, and made to keep nothing out.
      if (/\bconcurrently\b/i.test(statement)) return (await client.query<Record<string, unknown>>(statement, values)).rows;
      return inTransaction(client, () => watched(statement, values));
    };
    const up = async (): Promise<unknown> => migration.up({ query } as never);
    await (ownTransaction ? inTransaction(client, up) : up());
  }
  return found;
}

async function inTransaction<T>(client: Client, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  try {
    const result = await work();
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

async function existingTables(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ oid: string }>(
    `select oid::text from pg_class where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace`,
  );
  return rows.map(({ oid }) => oid);
}

async function countScans(client: Client, tables: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const { rows } = await client.query<{ table: string; scans: string }>(
    `select relname as "table", (seq_scan + coalesce(idx_scan, 0))::text as scans
       from pg_stat_xact_all_tables where relid::text = any($1)`,
    [tables],
  );
  return new Map(rows.map(({ table, scans }) => [table, Number(scans)]));
}

function growing(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): readonly string[] {
  return [...after].filter(([table, scans]) => scans > (before.get(table) ?? 0)).map(([table]) => table);
}

async function locksHeld(client: Client, tables: readonly string[]): Promise<readonly string[]> {
  const { rows } = await client.query<{ lock: string }>(
    `select distinct c.relname || ' ' || l.mode as lock from pg_locks l join pg_class c on c.oid = l.relation
      where l.pid = pg_backend_pid() and l.granted and c.oid::text = any($1) and l.mode = any($2) order by 1`,
    [tables, BLOCKING_MODES],
  );
  return rows.map(({ lock }) => lock);
}

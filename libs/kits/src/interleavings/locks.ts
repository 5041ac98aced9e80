import { Client } from 'pg';

/**
 * Tells which backends wait for a lock that another of them holds, by PostgreSQL's own lock table and never by elapsed
 * time: a slow machine must not look like a blocked transaction.
 */
export class LockWatcher {
  private constructor(private readonly client: Client) {}

  static async open(databaseUrl: string): Promise<LockWatcher> {
    const client = new Client({ connectionString: databaseUrl });
    await client.connect();
    return new LockWatcher(client);
  }

  /** Those of these backends that wait for others. */
  async blocked(pids: readonly number[]): Promise<ReadonlySet<number>> {
    const { rows } = await this.client.query<{ pid: number }>({
      name: 'blocked',
      text: 'select pid from unnest($1::int[]) as pid where cardinality(pg_blocking_pids(pid)) > 0',
      values: [pids],
    });
    return new Set(rows.map(({ pid }) => pid));
  }

  /** The tables of the database, without those of the migrations. */
  async tables(): Promise<string[]> {
    const { rows } = await this.client.query<{ name: string }>(
      `select relname as name from pg_class
       where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace and relname <> 'migrations'`,
    );
    return rows.map(({ name }) => name);
  }

  close(): Promise<void> {
    return this.client.end();
  }
}

import { DataSource, type EntitySchema, type MigrationInterface } from 'typeorm';
import type { Logger } from './logger.js';

/** A class of a migration or an entity, as TypeORM takes it. */
export type MigrationClass = new () => MigrationInterface;
/** A class or schema of an entity, as TypeORM takes it. */
export type EntityClass = (abstract new (...args: never[]) => unknown) | EntitySchema;

/** What is needed to open a service's database. */
export interface DatabaseOptions {
  readonly url: string;
  readonly service: string;
  readonly migrations: readonly MigrationClass[];
  readonly entities: readonly EntityClass[];
  readonly poolSizeMax: number;
  readonly logger: Logger;
}

/** All replicas of all services take this advisory lock of their own database while they migrate. */
const MIGRATION_LOCK = 7_205_759_403_792_794n;
const CONNECT_RETRY_MS = 500;

/**
 * Opens the database of a service and brings its schema up to date. Waits for a database that is not up yet, because
 * containers start in any order; replicas that start together migrate one after the other.
 */
export async function openDatabase(options: DatabaseOptions, waitMs: number): Promise<DataSource> {
  const dataSource = new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: `latchkey-${options.service}`,
    entities: [...options.entities] as never,
    migrations: [...options.migrations],
    migrationsTransactionMode: 'each',
    synchronize: false,
    logging: false,
    poolSize: options.poolSizeMax,
    poolErrorHandler: (error: unknown) => options.logger.warn('a database connection was lost', {}, error),
    extra: {
      connectionTimeoutMillis: 5_000,
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 60_000,
      // A server that took a statement and is never heard of again must not keep a place in the pool for ever.
      query_timeout: 35_000,
      keepAlive: true,
    },
  });
  const deadlineMs = Date.now() + waitMs;
  for (;;) {
    try {
      await dataSource.initialize();
      break;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      options.logger.info('waiting for the database', { reason: (error as { code?: string }).code });
      await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS));
    }
  }
  await migrate(dataSource);
  return dataSource;
}

async function migrate(dataSource: DataSource): Promise<void> {
  const guard = dataSource.createQueryRunner();
  await guard.connect();
  try {
    await guard.query('select pg_advisory_lock($1)', [MIGRATION_LOCK.toString()]);
    await dataSource.runMigrations();
  } finally {
    await guard.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK.toString()]).catch(() => undefined);
    await guard.release();
  }
}

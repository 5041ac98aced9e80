import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import type { Logger } from './logger.js';

/** A class of a migration, as TypeORM takes it. */
export type MigrationClass = new () => MigrationInterface;

/** What is needed to open a service's database. */
export interface DatabaseOptions {
  readonly url: string;
  readonly service: string;
  readonly migrations: readonly MigrationClass[];
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
  await migrate(options, waitMs);
  return dataSourceOf(options, {
    poolSize: options.poolSizeMax,
    extra: {
      connectionTimeoutMillis: 5_000,
      statement_timeout: 30_000,
      idle_in_transaction_session_timeout: 60_000,
      // A server that took a statement and is never heard of again must not keep a place in the pool for ever.
      query_timeout: 35_000,
      keepAlive: true,
    },
  }).initialize();
}

function dataSourceOf(options: DatabaseOptions, more: Partial<Extract<DataSourceOptions, { type: 'postgres' }>>): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: `latchkey-${options.service}`,
    synchronize: false,
    logging: false,
    poolErrorHandler: (error: unknown) => options.logger.warn('a database connection was lost', {}, error),
    ...more,
  });
}

/** Without the timeouts of daily work: a migration takes its time, and so does waiting for the replica that migrates. */
async function migrate(options: DatabaseOptions, waitMs: number): Promise<void> {
  const dataSource = dataSourceOf(options, {
    poolSize: 2,
    migrations: [...options.migrations],
    migrationsTransactionMode: 'each',
    extra: { connectionTimeoutMillis: 5_000 },
  });
  await whenUp(dataSource, options.logger, waitMs);
  const guard = dataSource.createQueryRunner();
  try {
    await guard.query('select pg_advisory_lock($1)', [MIGRATION_LOCK.toString()]);
    await dataSource.runMigrations();
  } finally {
    // The lock goes with its connection.
    await guard.release();
    await dataSource.destroy();
  }
}

async function whenUp(dataSource: DataSource, logger: Logger, waitMs: number): Promise<void> {
  const deadlineMs = Date.now() + waitMs;
  for (;;) {
    try {
      await dataSource.initialize();
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      logger.info('waiting for the database', { reason: (error as { code?: string }).code });
      await new Promise((resolve) => setTimeout(resolve, CONNECT_RETRY_MS));
    }
  }
}

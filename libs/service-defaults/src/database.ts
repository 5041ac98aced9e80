import { DataSource, type DataSourceOptions, type MigrationInterface } from 'typeorm';
import { DatabaseClient } from './database-client.js';
import type { Logger } from './logger.js';
import { migrate, whenUp } from './migrate-database.js';

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

/**
 * Opens the database of a service and brings its schema up to date. Waits for a database that is not up yet, because
 * containers start in any order; replicas that start together migrate one after the other.
 */
export async function openDatabase(options: DatabaseOptions, waitMs: number): Promise<DataSource> {
  // Without the timeouts of daily work: an index may take its time to be built.
  const migrating = dataSourceOf(options, {
    poolSize: 2,
    migrations: [...options.migrations],
    extra: { connectionTimeoutMillis: 5_000, keepAlive: true },
  });
  await migrate(migrating, options.logger, waitMs);
  const dataSource = dataSourceOf(options, {
    poolSize: options.poolSizeMax,
    extra: {
      Client: DatabaseClient,
      connectionTimeoutMillis: 5_000,
      // A replica that is frozen in a transaction must not keep the others from its rows for longer than this.
      lock_timeout: 2_500,
      idle_in_transaction_session_timeout: 15_000,
      statement_timeout: 30_000,
      // Above the server's own limits, so that it is the server that ends a slow statement, and its transaction with it. A
      // server that took a statement and never answers must not keep a place in the pool for ever.
      query_timeout: 35_000,
      keepAlive: true,
    },
  });
  // Again with patience: a server that is busy with other replicas' migrations may be slow to take connections.
  await whenUp(dataSource, options.logger, waitMs);
  return dataSource;
}

function dataSourceOf(options: DatabaseOptions, more: Partial<Extract<DataSourceOptions, { type: 'postgres' }>>): DataSource {
  return new DataSource({
    type: 'postgres',
    url: options.url,
    applicationName: `latchkey-${options.service}`,
    synchronize: false,
    logging: false,
    // The default one prints each failed attempt of a migration past the service's log.
    logger: 'debug',
    poolErrorHandler: (error: unknown) => options.logger.warn('a database connection was lost', {}, error),
    ...more,
  });
}

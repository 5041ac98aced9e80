import { type DataSource, MigrationExecutor, type QueryRunner } from 'typeorm';
import type { Logger } from './logger.js';

/** How a migration waits for the locks of those who work with the tables. */
export interface MigrationPatience {
  /** A statement that waits for a lock keeps everything behind it waiting too. After so long it gives up its place. */
  readonly lockTimeoutMs: number;
  /** How often all that is pending is tried before the service ends with the error. */
  readonly attemptsMax: number;
  readonly backoffMsMax: number;
}

/** About five minutes in all. */
const usualPatience: MigrationPatience = { lockTimeoutMs: 2_500, attemptsMax: 50, backoffMsMax: 4_000 };

/** All replicas of all services take this advisory lock of their own database while they migrate. */
const MIGRATION_LOCK = 7_205_759_403_792_794n.toString();
const LOOK_FOR_LOCK_MS = 200;
const CONNECT_RETRY_MS = 500;
const BACKOFF_MS_LEAST = 200;
/**
 * What is built concurrently waits for every transaction that is older, and nothing queues behind it meanwhile. A build
 * that gave up as early as other statements would start over again for each report that takes a few seconds.
 */
const CONCURRENT_LOCK_TIMEOUT_MS = 60_000;
/** lock_not_available and deadlock_detected: the work of others stands in the way, and will end. */
const IN_THE_WAY: readonly unknown[] = ['55P03', '40P01'];

/**
 * Brings a schema up to date. Waits for a database that is not up yet. Replicas that start together migrate one after
 * the other. Whatever a migration waits for, it gives up its place in the lock queue after a few seconds, lets the
 * others pass, and tries again: replicas of the version before work with the same tables.
 */
export async function migrate(
  dataSource: DataSource,
  logger: Logger,
  waitMs: number,
  patience: MigrationPatience = usualPatience,
): Promise<void> {
  await whenUp(dataSource, logger, waitMs);
  try {
    for (let attempt = 1; ; attempt += 1) {
      const problem = await migrateOnce(dataSource, logger, patience);
      if (problem === undefined) return;
      if (attempt >= patience.attemptsMax) throw problem;
      const backoffMs = Math.min(BACKOFF_MS_LEAST * 2 ** (attempt - 1), patience.backoffMsMax);
      logger.warn('a migration found its tables in use and is tried again', { attempt, backoffMs }, problem);
      await pause(backoffMs);
    }
  } finally {
    await dataSource.destroy();
  }
}

/**
 * One attempt, and what stood in its way. The lock is taken by the session that migrates. It is released between two
 * attempts, because a replica of an earlier version waits for it inside a statement, and an index that is built
 * concurrently waits for that statement: on one session PostgreSQL sees such a circle and ends it.
 */
async function migrateOnce(dataSource: DataSource, logger: Logger, patience: MigrationPatience): Promise<Error | undefined> {
  const runner = dataSource.createQueryRunner();
  try {
    await lock(runner, logger);
    await runner.query(`set lock_timeout = ${patience.lockTimeoutMs}`);
    waitLongerForConcurrentBuilds(runner, patience);
    const executor = new MigrationExecutor(dataSource, runner);
    executor.transaction = 'each';
    if ((await executor.getPendingMigrations()).length > 0) await dropInvalidIndexes(runner, logger);
    await executor.executePendingMigrations();
    return undefined;
  } catch (error) {
    if (!IN_THE_WAY.includes((error as { code?: unknown }).code)) throw error;
    return error as Error;
  } finally {
    await unlock(runner);
  }
}

/** Asks again and again, and never waits inside a statement: see {@link migrateOnce}. */
async function lock(runner: QueryRunner, logger: Logger): Promise<void> {
  for (let looks = 0; ; looks += 1) {
    const rows = (await runner.query('select pg_try_advisory_lock($1) as locked', [MIGRATION_LOCK])) as { locked: boolean }[];
    if (rows[0]?.locked) return;
    if (looks === 0) logger.info('another replica migrates the database');
    await pause(LOOK_FOR_LOCK_MS);
  }
}

/** A lock that cannot be released goes with its session: the data source is destroyed at the end. */
async function unlock(runner: QueryRunner): Promise<void> {
  await runner.query('select pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined);
  await runner.release();
}

function waitLongerForConcurrentBuilds(runner: QueryRunner, { lockTimeoutMs }: MigrationPatience): void {
  const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
  runner.query = (async (...args: unknown[]) => {
    if (!/\bconcurrently\b/i.test(String(args[0]))) return query(...args);
    await query(`set lock_timeout = ${CONCURRENT_LOCK_TIMEOUT_MS}`);
    try {
      return await query(...args);
    } finally {
      await query(`set lock_timeout = ${lockTimeoutMs}`).catch(() => undefined);
    }
  }) as QueryRunner['query'];
}

/**
 * A concurrent build that was interrupted leaves an index that costs writes and answers nothing, and `if not exists`
 * would take it for the wanted one. One that is being built by hand at the moment stays, and so do parts of partitioned
 * indexes, which become valid with their last partition.
 */
async function dropInvalidIndexes(runner: QueryRunner, logger: Logger): Promise<void> {
  const indexes = (await runner.query(`
    select format('%I.%I', n.nspname, c.relname) as name
      from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where not i.indisvalid and c.relkind = 'i' and not c.relispartition and n.nspname = current_schema()
       and c.relname !~ '_cc(new|old)[0-9]*$'
       and not exists (select from pg_stat_progress_create_index p where p.index_relid = c.oid)`)) as { name: string }[];
  for (const { name } of indexes) {
    logger.warn('dropping an index whose build was interrupted', { index: name });
    await runner.query(`drop index concurrently if exists ${name}`);
  }
}

/** Opens a data source as soon as its database takes connections, and rejects when it does not in time. */
export async function whenUp(dataSource: DataSource, logger: Logger, waitMs: number): Promise<void> {
  const deadlineMs = Date.now() + waitMs;
  for (;;) {
    try {
      await dataSource.initialize();
      return;
    } catch (error) {
      if (Date.now() > deadlineMs) throw error;
      logger.info('waiting for the database', { reason: (error as { code?: string }).code });
      await pause(CONNECT_RETRY_MS);
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

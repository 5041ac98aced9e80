import type { MigrationInterface, QueryRunner } from 'typeorm';
import { PartitionInbox1700000030000 } from './received-events.migration.js';

/** The two tables that make events effectively once, in every service's own database. */
class CreateOutboxAndInbox1700000000000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateOutboxAndInbox1700000000000';

  /** Makes the tables. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table outbox_events (
        position bigint generated always as identity primary key,
        event_id text not null default gen_random_uuid()::text,
        type text not null,
        correlation_id text,
        data json not null,
        created_at timestamptz not null default clock_timestamp(),
        attempts integer not null default 0,
        available_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index outbox_events_available on outbox_events (available_at)');
    await runner.query(`
      create table inbox_events (
        source text not null,
        event_id text not null,
        received_at timestamptz not null default clock_timestamp(),
        primary key (source, event_id)
      )`);
    await runner.query('create index inbox_events_received on inbox_events (received_at)');
  }

  /** Drops the tables. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table inbox_events');
    await runner.query('drop table outbox_events');
  }
}

/** For whom a row is: the copy for one service, or null for the original. */
class AddressOutboxCopies1700000010000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'AddressOutboxCopies1700000010000';

  /** Adds the column. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table outbox_events add column copy_for text');
  }

  /** Drops it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table outbox_events drop column copy_for');
  }
}

/** The relay jumps from destination to destination, and takes of each what is due. */
class IndexOutboxDestinations1700000020000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'IndexOutboxDestinations1700000020000';

  /** Built concurrently, which no transaction allows: events are appended meanwhile. */
  readonly transaction = false;

  /** Makes the index. The one by time alone was never used: the version before compares it with a volatile function. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index concurrently if not exists outbox_events_by_destination
      on outbox_events (type, coalesce(copy_for, ''), available_at)`);
    await runner.query('drop index concurrently if exists outbox_events_available');
  }

  /** Drops it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('create index concurrently if not exists outbox_events_available on outbox_events (available_at)');
    await runner.query('drop index concurrently if exists outbox_events_by_destination');
  }
}

/**
 * The times that are compared with `statement_timestamp()` come from it too. By `clock_timestamp()` a row of the
 * present statement would lie in its future.
 */
class StampByStatement1700000040000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'StampByStatement1700000040000';

  /** Changes the defaults, in the catalogue alone. */
  async up(runner: QueryRunner): Promise<void> {
    await setDefaults(runner, 'statement_timestamp()');
  }

  /** Brings the older ones back. */
  async down(runner: QueryRunner): Promise<void> {
    await setDefaults(runner, 'clock_timestamp()');
  }
}

async function setDefaults(runner: QueryRunner, time: string): Promise<void> {
  await runner.query(`
    alter table outbox_events
      alter column created_at set default ${time},
      alter column available_at set default ${time}`);
  await runner.query(`alter table inbox_events alter column received_at set default ${time}`);
}

/** What outbox and inbox need of a database. First in each service's list of migrations. */
export const outboxMigrations = [
  CreateOutboxAndInbox1700000000000,
  AddressOutboxCopies1700000010000,
  IndexOutboxDestinations1700000020000,
  PartitionInbox1700000030000,
  StampByStatement1700000040000,
] as const;

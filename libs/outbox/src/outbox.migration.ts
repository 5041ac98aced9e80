import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The two tables that make events effectively once, in every service's own database. First in each service's list of
 * migrations.
 */
export class CreateOutboxAndInbox1700000000000 implements MigrationInterface {
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

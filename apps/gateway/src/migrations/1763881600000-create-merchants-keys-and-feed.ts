import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Merchants, their API keys, and the feed of what they are told. */
export class CreateMerchantsKeysAndFeed1763881600000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateMerchantsKeysAndFeed1763881600000';

  /** Makes the tables. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table merchants (
        merchant_id text primary key,
        created_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query(`
      create table api_keys (
        key_id text primary key,
        merchant_id text not null references merchants,
        env text not null,
        hash bytea not null,
        scopes text[] not null,
        created_at timestamptz not null default clock_timestamp(),
        expires_at timestamptz,
        revoked_at timestamptz
      )`);
    await runner.query('create index api_keys_merchant on api_keys (merchant_id)');
    // No reference to merchants: a checkout's event must not fail because its merchant is made here a moment later. The data
    // is text and not json, so that nobody is tempted to decode in SQL what PostgreSQL cannot.
    await runner.query(`
      create table feed_events (
        position bigint generated always as identity primary key,
        sequence bigint unique,
        merchant_id text not null,
        type text not null,
        data text not null,
        purchase_id text,
        received_at timestamptz not null default clock_timestamp()
      )`);
    await runner.query('create index feed_events_waiting on feed_events (position) where sequence is null');
    await runner.query('create index feed_events_merchant on feed_events (merchant_id, sequence)');
    await runner.query('create index feed_events_received on feed_events (received_at)');
    await runner.query(`
      create table feed_state (
        singleton boolean primary key default true check (singleton),
        last_sequence bigint not null
      )`);
    await runner.query('insert into feed_state (last_sequence) values (0)');
  }

  /** Drops the tables. */
  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['feed_state', 'feed_events', 'api_keys', 'merchants']) await runner.query(`drop table ${table}`);
  }
}

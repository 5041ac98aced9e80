import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Webhooks, and what is on its way to them. */
export class CreateWebhooks1763881700000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateWebhooks1763881700000';

  /** Makes the tables. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table webhooks (
        webhook_id text primary key,
        merchant_id text not null references merchants,
        url text not null,
        event_types text[],
        description text,
        secret text not null,
        previous_secret text,
        previous_secret_until timestamptz,
        created_at timestamptz not null default clock_timestamp(),
        failing_since timestamptz,
        disabled_at timestamptz
      )`);
    await runner.query('create index webhooks_merchant on webhooks (merchant_id)');
    // No reference to webhooks: numbering the feed must not wait for, or fail because of, a webhook that is being removed,
    // nor removing one for all that was sent to it. What belongs to no webhook is sent by nobody and pruned. The data is
    // text for the same reason as in feed_events.
    await runner.query(`
      create table webhook_deliveries (
        delivery_id text primary key,
        webhook_id text not null,
        sequence bigint not null,
        type text not null,
        occurred_at text not null,
        data text not null,
        state text not null default 'pending' check (state in ('pending', 'delivered', 'failed')),
        attempts integer not null default 0,
        series_attempts integer not null default 0,
        asked_for boolean not null default false,
        created_at timestamptz not null default clock_timestamp(),
        series_started_at timestamptz not null default clock_timestamp(),
        due_at timestamptz not null default clock_timestamp(),
        lease_id uuid,
        leased_until timestamptz,
        last_attempt_at timestamptz,
        last_status integer,
        last_failure text,
        settled_at timestamptz,
        unique (webhook_id, sequence)
      )`);
    await runner.query(`create index webhook_deliveries_due on webhook_deliveries (webhook_id, due_at) where state = 'pending'`);
    await runner.query(`create index webhook_deliveries_series on webhook_deliveries (series_started_at) where state = 'pending'`);
    await runner.query(`create index webhook_deliveries_asked_for on webhook_deliveries (webhook_id) where state = 'pending' and asked_for`);
    await runner.query('create index webhook_deliveries_state on webhook_deliveries (webhook_id, state, sequence)');
    await runner.query(`create index webhook_deliveries_settled on webhook_deliveries (settled_at) where state <> 'pending'`);
    // Text, and empty where the version before stored the event: a checkout's time is passed on, not computed with. It comes
    // last, because from here to the commit nothing can read or write the feed.
    await runner.query('alter table feed_events add column occurred_at text');
  }

  /** Drops the tables. */
  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['webhook_deliveries', 'webhooks']) await runner.query(`drop table ${table}`);
    await runner.query('alter table feed_events drop column occurred_at');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

const statements = [
  // Purchases whose tokens are to come from elsewhere. The primary key is the promise that one is never ordered twice.
  `create table upstream_orders (
    merchant_id text not null,
    purchase_id text not null,
    correlation_id text,
    due_at timestamptz not null,
    attempts int not null default 0,
    lease_id uuid,
    last_failure text,
    created_at timestamptz not null default clock_timestamp(),
    primary key (merchant_id, purchase_id)
  )`,
  `create index upstream_orders_due on upstream_orders (merchant_id, due_at)`,

  // Cookies for which a device may register elsewhere, where it has to be asked for.
  `create table upstream_registrations (
    merchant_id text not null,
    cookie text not null,
    account_id text not null,
    cookie_expires_at timestamptz not null,
    token_expires_at timestamptz not null,
    due_at timestamptz not null,
    attempts int not null default 0,
    lease_id uuid,
    last_failure text,
    created_at timestamptz not null default clock_timestamp(),
    primary key (merchant_id, cookie)
  )`,
  `create index upstream_registrations_due on upstream_registrations (merchant_id, due_at)`,

  // Tokens from elsewhere are redeemed there, and no key of ours signed them.
  `alter table tokens add column license_url text`,
  `alter table tokens alter column signing_key_id drop not null`,
];

/** What tokens that come from a merchant's account elsewhere need. The version before knows nothing of it and goes on. */
export class AddUpstream1700000006000 implements MigrationInterface {
  readonly name = 'AddUpstream1700000006000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of statements) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table upstream_registrations, upstream_orders');
    await runner.query('alter table tokens drop column license_url');
  }
}

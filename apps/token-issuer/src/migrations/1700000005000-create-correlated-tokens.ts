import type { MigrationInterface, QueryRunner } from 'typeorm';

const up = [
  // The token of a sale of which no purchase has come. A purchase that comes takes token and play clock over, and the row goes.
  `create table if not exists correlated_tokens (
    merchant_id text not null,
    cookie text not null,
    kid text not null,
    rights_type text not null check (rights_type in ('purchase', 'rental')),
    token_id text not null,
    content_id text not null,
    rights jsonb not null,
    play_clock text not null,
    primary key (merchant_id, cookie, kid, rights_type)
  )`,
  // What was bought by purchases that came after their refund. Their rows in purchases are tombstones, which say it of none.
  `create table if not exists late_purchases (
    merchant_id text not null,
    purchase_id text not null,
    cookie text not null,
    content_id text not null,
    kids text[] not null,
    rights jsonb not null,
    accepted_at timestamptz not null default clock_timestamp(),
    primary key (merchant_id, purchase_id)
  )`,
  'create index concurrently if not exists late_purchases_by_cookie on late_purchases (merchant_id, cookie)',
  // The token whose play clock a purchase's renewals go on with, where it is not the purchase's own. The version before leaves it empty.
  'alter table purchases add column if not exists play_clock text',
  `create index concurrently if not exists purchases_by_cookie
    on purchases (merchant_id, cookie, accepted_at) where state <> 'rejected'`,
];

/** What makes the same sale by two ways one token. */
export class CreateCorrelatedTokens1700000005000 implements MigrationInterface {
  readonly name = 'CreateCorrelatedTokens1700000005000';

  /** Purchases are accepted while their index is built, so each statement is its own transaction and can run again. */
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of up) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index purchases_by_cookie');
    await runner.query('alter table purchases drop column play_clock');
    await runner.query('drop table late_purchases, correlated_tokens');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

const tables = [
  `create table content_keys (
    merchant_id text not null,
    kid text not null,
    content_id text,
    wrapped_key text not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (merchant_id, kid)
  )`,

  // The one row per (merchant, cookie) that purchase, device and refund lock before they read the other side.
  `create table cookie_joins (
    merchant_id text not null,
    cookie text not null,
    account_id text,
    expires_at timestamptz,
    device_id text,
    evidence text check (evidence in ('proof', 'asserted')),
    registered_at timestamptz,
    primary key (merchant_id, cookie),
    check ((device_id is null) = (evidence is null))
  )`,

  // Issuing holds the row in share mode and revoking writes it, so that no token slips past a revocation.
  `create table known_devices (
    merchant_id text not null,
    device_id text not null,
    revoked_at timestamptz,
    primary key (merchant_id, device_id)
  )`,

  // completed_at is what the checkout wrote, which nothing here depends on.
  // A refund that came before its purchase has none of the columns from cookie to completed_at.
  `create table purchases (
    merchant_id text not null,
    purchase_id text not null,
    state text not null check (state in ('awaiting-device', 'issued', 'rejected', 'refunded')),
    code text,
    cookie text,
    cookie_expires_at timestamptz,
    named_device_id text,
    content_id text,
    kids text[],
    rights jsonb,
    completed_at text,
    device_id text,
    token_id text,
    accepted_at timestamptz not null default clock_timestamp(),
    refunded_at timestamptz,
    refund_reason text,
    primary key (merchant_id, purchase_id),
    check ((state = 'rejected') = (code is not null)),
    check (cookie is not null or state = 'refunded')
  )`,
  `create index purchases_waiting_by_cookie on purchases (merchant_id, cookie) where state = 'awaiting-device'`,
  `create index purchases_waiting_by_expiry on purchases (cookie_expires_at) where state = 'awaiting-device'`,

  `create table tokens (
    token_id text primary key,
    merchant_id text not null,
    purchase_id text,
    device_id text not null,
    token text not null,
    kek_ids text[] not null,
    signing_key_id text not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    superseded_at timestamptz,
    revoked_at timestamptz,
    revoke_reason text check (revoke_reason in ('refunded', 'device-revoked'))
  )`,
  // The guarantee of exactly one live token per purchase is this index, whatever the code above it does.
  `create unique index tokens_one_live_per_purchase on tokens (merchant_id, purchase_id)
     where superseded_at is null and revoked_at is null`,
  `create index tokens_live_by_device on tokens (merchant_id, device_id)
     where superseded_at is null and revoked_at is null`,

  // What was asked for under an idempotency key. Content keys are not in it, only for which kids there were some.
  `create table token_requests (
    merchant_id text not null,
    idempotency_key text not null,
    request text not null,
    token_id text not null,
    created_at timestamptz not null default clock_timestamp(),
    primary key (merchant_id, idempotency_key)
  )`,
  `create index token_requests_created on token_requests (created_at)`,

  `create table signing_keys (
    key_id text primary key,
    public_jwk jsonb not null,
    wrapped_key text not null,
    state text not null check (state in ('announced', 'active', 'retired')),
    announced_at timestamptz not null default clock_timestamp(),
    activated_at timestamptz,
    retired_at timestamptz
  )`,
  // Replicas that start together make one key: the second insert conflicts.
  `create unique index signing_keys_one_each on signing_keys (state) where state <> 'retired'`,
];

/** The tables of the token issuer. */
export class CreateTokenIssuer1700000001000 implements MigrationInterface {
  readonly name = 'CreateTokenIssuer1700000001000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of tables) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`drop table signing_keys, token_requests, tokens, purchases, known_devices, cookie_joins, content_keys`);
  }
}

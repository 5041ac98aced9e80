import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What the licence server has to remember to refuse rightly, and the keys by which it knows a token. */
export class CreateLicenseTables1700000300000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateLicenseTables1700000300000';

  /** Makes the tables. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table replay_marks (
        thumbprint text not null,
        jti text not null,
        seen_at timestamptz not null,
        primary key (thumbprint, jti)
      )`);
    await runner.query('create index replay_marks_seen on replay_marks (seen_at)');
    await runner.query(`
      create table rental_clocks (
        merchant_id text not null,
        subject text not null check (subject ~ '^(purchase|token)/'),
        started_at timestamptz not null,
        available_until timestamptz not null,
        primary key (merchant_id, subject)
      )`);
    await runner.query('create index rental_clocks_available_until on rental_clocks (available_until)');
    await runner.query(`
      create table revoked_tokens (
        merchant_id text not null,
        token_id text not null,
        expires_at timestamptz not null,
        primary key (merchant_id, token_id)
      )`);
    await runner.query('create index revoked_tokens_expires on revoked_tokens (expires_at)');
    await runner.query(`
      create table revoked_devices (
        merchant_id text not null,
        device_id text not null,
        heard_at timestamptz not null default clock_timestamp(),
        primary key (merchant_id, device_id)
      )`);
    await runner.query(`
      create table revocation_knowledge (
        only_row boolean primary key default true check (only_row),
        current_at timestamptz not null
      )`);
    await runner.query('insert into revocation_knowledge (current_at) values (clock_timestamp())');
    await runner.query(`
      create table signing_keys (
        key_id text primary key,
        x text not null,
        y text not null,
        published_at timestamptz not null
      )`);
  }

  /** Drops the tables. */
  async down(runner: QueryRunner): Promise<void> {
    for (const table of ['signing_keys', 'revocation_knowledge', 'revoked_devices', 'revoked_tokens', 'rental_clocks', 'replay_marks']) {
      await runner.query(`drop table ${table}`);
    }
  }
}

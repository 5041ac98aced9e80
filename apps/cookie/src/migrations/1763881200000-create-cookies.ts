import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The cookies, and the idempotency keys under which they were asked for. */
export class CreateCookies1763881200000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateCookies1763881200000';

  /** Makes the table. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table cookies (
        merchant_id text not null,
        cookie text not null,
        account_id text not null,
        issued_at timestamptz not null,
        expires_at timestamptz not null,
        bound_at timestamptz,
        idempotency_key text,
        requested_ttl_seconds integer,
        primary key (merchant_id, cookie)
      )`);
    // Of two replicas that are asked under one key at once, this index lets only one make a cookie.
    await runner.query(`
      create unique index cookies_idempotency_key on cookies (merchant_id, idempotency_key) where idempotency_key is not null`);
    await runner.query('create index cookies_unbound_expiry on cookies (expires_at) where bound_at is null');
  }

  /** Drops the table. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table cookies');
  }
}

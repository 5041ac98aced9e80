import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The merchants' key stores. A key lies there under a KEK that only its merchant has, beside the name that the merchant gave that KEK. */
export class CreateStoredKeys1700000004000 implements MigrationInterface {
  readonly name = 'CreateStoredKeys1700000004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create table stored_keys (
      merchant_id text not null,
      kid text not null,
      ek text not null,
      kek_id text not null,
      info text,
      content_id text,
      expires_at timestamptz,
      updated_at timestamptz not null default clock_timestamp(),
      primary key (merchant_id, kid)
    )`);
    await runner.query('create index stored_keys_by_update on stored_keys (merchant_id, updated_at, kid)');
    await runner.query('create index stored_keys_by_expiry on stored_keys (expires_at) where expires_at is not null');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table stored_keys');
  }
}

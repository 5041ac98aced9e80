import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Until when a signing key is trusted that signs no more. Apart from the keys, because a retirement may be heard first. */
export class CreateRetiredSigningKeys1700000400000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateRetiredSigningKeys1700000400000';

  /** Makes the table. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create table retired_signing_keys (key_id text primary key, trusted_until timestamptz not null)');
  }

  /** Drops it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table retired_signing_keys');
  }
}

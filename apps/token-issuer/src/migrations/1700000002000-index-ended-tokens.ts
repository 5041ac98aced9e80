import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets tokens that ended long ago be found without reading all that are kept: the condition is the one that they are deleted by. */
export class IndexEndedTokens1700000002000 implements MigrationInterface {
  readonly name = 'IndexEndedTokens1700000002000';

  /** Built concurrently, which no transaction allows: tokens are issued meanwhile. */
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index concurrently if not exists tokens_ended_by_expiry on tokens (expires_at)
      where superseded_at is not null or revoked_at is not null or purchase_id is null`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index tokens_ended_by_expiry');
  }
}

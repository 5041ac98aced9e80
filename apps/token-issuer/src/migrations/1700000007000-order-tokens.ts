import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * In which order tokens were stored. A token's own time has whole seconds, so of two of one second either could come first.
 * The default is set apart from the column, because a column that is added with it would have every row rewritten: tokens from
 * before have no position, and those of the version before get theirs by the default.
 */
export class OrderTokens1700000007000 implements MigrationInterface {
  readonly name = 'OrderTokens1700000007000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('create sequence tokens_position');
    await runner.query('alter table tokens add column position bigint');
    await runner.query(`alter table tokens alter column position set default nextval('tokens_position')`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table tokens drop column position');
    await runner.query('drop sequence tokens_position');
  }
}

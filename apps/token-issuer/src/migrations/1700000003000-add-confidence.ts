import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How sure it is that a cookie's device is the one that its id names. The version before leaves it empty. */
export class AddConfidence1700000003000 implements MigrationInterface {
  readonly name = 'AddConfidence1700000003000';

  /** Each statement is its own transaction, so that the check is verified while joins are read and written. */
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table cookie_joins add column if not exists confidence text');
    await runner.query(`
      alter table cookie_joins drop constraint if exists cookie_joins_confidence_check,
        add constraint cookie_joins_confidence_check
          check (confidence in ('proof', 'hardware', 'software', 'unknown')) not valid`);
    await runner.query('alter table cookie_joins validate constraint cookie_joins_confidence_check');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table cookie_joins drop column confidence');
  }
}

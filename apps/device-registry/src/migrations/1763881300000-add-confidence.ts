import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How sure a licence server is of the id that it asserted. Empty where nobody stated it, or the device proves itself. */
export class AddConfidence1763881300000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'AddConfidence1763881300000';

  /** Each statement is its own transaction, so that the check is verified while bindings are read and written. */
  readonly transaction = false;

  /** Adds the column, which the version before leaves empty. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query('alter table bindings add column if not exists confidence text');
    await runner.query(`
      alter table bindings drop constraint if exists bindings_confidence_check,
        add constraint bindings_confidence_check check (confidence in ('hardware', 'software', 'unknown')) not valid`);
    await runner.query('alter table bindings validate constraint bindings_confidence_check');
  }

  /** Drops it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table bindings drop column confidence');
  }
}

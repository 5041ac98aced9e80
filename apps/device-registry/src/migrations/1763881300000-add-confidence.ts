import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How sure a licence server is of the id that it asserted. Empty where nobody stated it, or the device proves itself. */
export class AddConfidence1763881300000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'AddConfidence1763881300000';

  /** Adds the column, which the version before leaves empty. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table bindings add column confidence text check (confidence in ('hardware', 'software', 'unknown'))`);
  }

  /** Drops it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table bindings drop column confidence');
  }
}

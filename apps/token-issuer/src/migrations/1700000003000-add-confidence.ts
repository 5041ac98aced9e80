import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How sure it is that a cookie's device is the one that its id names. The version before leaves it empty. */
export class AddConfidence1700000003000 implements MigrationInterface {
  readonly name = 'AddConfidence1700000003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`alter table cookie_joins add column confidence text check (confidence in ('proof', 'hardware', 'software', 'unknown'))`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('alter table cookie_joins drop column confidence');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets a merchant's records be read in the order in which its devices registered, without sorting all that it has. */
export class IndexRegistrations1763881400000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'IndexRegistrations1763881400000';

  /** Built concurrently, which no transaction allows: registrations go on meanwhile. */
  readonly transaction = false;

  /** Makes the index. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create index concurrently if not exists bindings_registered on bindings (merchant_id, registered_at, cookie)`);
  }

  /** Drops it. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop index bindings_registered');
  }
}

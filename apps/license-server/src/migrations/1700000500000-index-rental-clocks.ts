import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Lets clocks be forgotten by whose they are: those of tokens are kept far longer than those of purchases. */
export class IndexRentalClocks1700000500000 implements MigrationInterface {
  readonly name = 'IndexRentalClocks1700000500000';

  /** Built concurrently, which no transaction allows: licences are granted meanwhile. */
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`create index concurrently if not exists rental_clocks_of_purchases
      on rental_clocks (available_until) where subject like 'purchase/%'`);
    await runner.query(`create index concurrently if not exists rental_clocks_of_tokens
      on rental_clocks (available_until) where subject like 'token/%'`);
    await runner.query('drop index concurrently if exists rental_clocks_available_until');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('create index rental_clocks_available_until on rental_clocks (available_until)');
    await runner.query('drop index rental_clocks_of_tokens');
    await runner.query('drop index rental_clocks_of_purchases');
  }
}

import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Devices with their revocations, what they are bound to, and the cookies that were heard of. */
export class CreateDevices1763881200000 implements MigrationInterface {
  /** TypeORM keeps it in the table of migrations. */
  readonly name = 'CreateDevices1763881200000';

  /** Makes the tables. */
  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      create table devices (
        merchant_id text not null,
        device_id text not null,
        evidence text not null check (evidence in ('proof', 'asserted')),
        registered_at timestamptz not null,
        revoked_at timestamptz,
        revocation_reason text,
        primary key (merchant_id, device_id, evidence)
      )`);
    // The primary key is what makes it first come, first served: a cookie has room for one device.
    await runner.query(`
      create table bindings (
        merchant_id text not null,
        cookie text not null,
        account_id text not null,
        device_id text not null,
        evidence text not null,
        registered_at timestamptz not null,
        last_seen_at timestamptz not null,
        primary key (merchant_id, cookie),
        foreign key (merchant_id, device_id, evidence) references devices
      )`);
    await runner.query('create index bindings_account on bindings (merchant_id, account_id)');
    await runner.query('create index bindings_device on bindings (merchant_id, device_id)');
    await runner.query(`
      create table known_cookies (
        merchant_id text not null,
        cookie text not null,
        expires_at timestamptz not null,
        primary key (merchant_id, cookie)
      )`);
    await runner.query('create index known_cookies_expiry on known_cookies (expires_at)');
  }

  /** Drops the tables. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query('drop table known_cookies');
    await runner.query('drop table bindings');
    await runner.query('drop table devices');
  }
}

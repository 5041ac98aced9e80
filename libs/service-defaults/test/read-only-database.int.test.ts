import 'reflect-metadata';
import { expect, it } from '@jest/globals';
import { createTestDatabase, eventually } from '@latchkey/kits';
import { openInProcessBroker } from '@latchkey/messaging';
import { isDatabaseAway, outboxMigrations } from '@latchkey/outbox';
import { Module } from '@nestjs/common';
import pg from 'pg';
import { createLogger, Metrics, readConfiguration, type ServiceDefinition, standardSettings, startService } from '../src/index.js';

@Module({})
class Empty {}

const settings = standardSettings(0);
const empty: ServiceDefinition<typeof settings> = {
  messaging: { service: 'cookie', hears: [], says: [], asks: [] },
  settings,
  module: Empty,
  migrations: [...outboxMigrations],
  bodies: 'json',
  worksWithoutBroker: false,
};

it('is unready while its database takes no writes, as after a failover, and takes a refused write for a database that is away', async () => {
  const database = await createTestDatabase();
  const bus = await createTestDatabase();
  const broker = await openInProcessBroker({ databaseUrl: bus.url });
  const configuration = readConfiguration(settings, { DATABASE_URL: database.url, AMQP_URL: 'amqp://unused' });
  const service = await startService(empty, configuration, { broker, logger: createLogger('cookie', 'silent'), metrics: new Metrics(), listen: false });
  const setReadOnly = async (value: 'on' | 'off'): Promise<void> => {
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    await client.query('begin read write');
    await client.query(`do $$ begin execute format('alter database %I set default_transaction_read_only = ${value}', current_database()); end $$`);
    await client.query('commit');
    // Only new sessions have the setting.
    await client.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()');
    await client.end();
  };
  try {
    expect((await service.health.readiness()).status).toBe('ready');
    await setReadOnly('on');
    await eventually(async () => {
      const { status, checks } = await service.health.readiness();
      expect(status).toBe('unready');
      expect(checks['database']!.detail).toContain('takes no writes');
    });
    const refused: unknown = await service.dataSource.query('delete from outbox_events').catch((error: unknown) => error);
    expect(isDatabaseAway(refused)).toBe(true);
    await setReadOnly('off');
    await eventually(async () => expect((await service.health.readiness()).status).toBe('ready'));
  } finally {
    await service.stop();
    await broker.close();
    await Promise.all([database.drop(), bus.drop()]);
  }
});

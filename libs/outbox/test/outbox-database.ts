import { createTestDatabase } from '@latchkey/kits';
import { DataSource } from 'typeorm';
import { outboxMigrations } from '../src/index.js';

/** A fresh database with the outbox, the inbox, and a table `effects` for a pretended domain. */
export async function openOutboxDatabase(): Promise<{ dataSource: DataSource; close(): Promise<void> }> {
  const database = await createTestDatabase();
  const dataSource = new DataSource({ type: 'postgres', url: database.url, migrations: [...outboxMigrations] });
  await dataSource.initialize();
  await dataSource.runMigrations({ transaction: 'each' });
  await dataSource.query('create table effects (id text primary key, times integer not null default 1)');
  return {
    dataSource,
    close: async () => {
      await dataSource.destroy();
      await database.drop();
    },
  };
}

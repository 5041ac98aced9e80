import { DataSource } from 'typeorm';

/**
 * A data source for which the database's clock stands at `time`: `statement_timestamp()` without a schema is looked up
 * in the schema `fake` before PostgreSQL's own.
 */
export async function databaseAt(real: DataSource, time: string): Promise<DataSource> {
  await real.query('create schema if not exists fake');
  for (const name of ['statement_timestamp', 'transaction_timestamp']) {
    await real.query(`
      create or replace function fake.${name}() returns timestamptz language sql stable
      as $$ select current_setting('fake.time')::timestamptz $$`);
  }
  const { url } = real.options as { url: string };
  const options = `-c search_path=fake,pg_catalog,public -c fake.time=${time}`;
  return new DataSource({ type: 'postgres', url, extra: { options } }).initialize();
}

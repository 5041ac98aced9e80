import { Client } from 'pg';
import { requiredTestVariable } from './test-environment.js';

/** An empty database of one test file. */
export interface TestDatabase {
  url: string;
  /** Ends whatever sessions are left and removes the database. */
  drop(): Promise<void>;
}

/** Makes a fresh database on the test server. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const url = new URL(requiredTestVariable('databaseUrl'));
  const name = `test_${crypto.randomUUID().replaceAll('-', '')}`;
  await onServer(`create database ${name}`);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => onServer(`drop database if exists ${name} with (force)`) };
}

async function onServer(statement: string): Promise<void> {
  const client = new Client({ connectionString: requiredTestVariable('databaseUrl') });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

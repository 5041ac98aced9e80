import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { createTestDatabase } from '../src/index.js';
import type { TestDatabase } from '../src/index.js';

describe('createTestDatabase', () => {
  let first: TestDatabase;
  let second: TestDatabase;

  beforeAll(async () => {
    first = await createTestDatabase();
    second = await createTestDatabase();
  });
  afterAll(async () => {
    await first.drop();
  });

  it('gives each caller an empty database of its own', async () => {
    await query(first.url, 'create table here (id int)');
    expect(await query(second.url, "select to_regclass('here') as found")).toEqual([{ found: null }]);
  });

  it('drops a database that still has sessions', async () => {
    const lingering = new Client({ connectionString: second.url });
    const cut = new Promise<Error>((resolve) => lingering.on('error', resolve));
    await lingering.connect();
    await second.drop();
    await expect(cut).resolves.toBeInstanceOf(Error);
    await expect(query(second.url, 'select 1')).rejects.toThrow('does not exist');
  });
});

async function query(connectionString: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}

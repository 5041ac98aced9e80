import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, jest } from '@jest/globals';
import { createTestDatabase, describeWhere, dumpSchema, type TestDatabase } from '@latchkey/kits';
import { Client } from 'pg';
import { presentRelease, type Release } from '../faults/system/replica.js';
import { services } from '../faults/system/target.js';
import { previousRelease, whyNoPreviousRelease } from '../upgrade/take-previous-release.js';

// The first run unpacks the previous release, and each migration runs in a process of its own.
jest.setTimeout(180_000);

const program = join(presentRelease.root, 'e2e', 'upgrade', 'migrate-all.mjs');

async function migrate(release: Release, service: string, { url }: TestDatabase): Promise<void> {
  const runTs = pathToFileURL(join(release.root, 'tools', 'run-ts.mjs')).href;
  // Without the options of the test runner, which would disturb the program.
  const env = { PATH: process.env['PATH'], HOME: process.env['HOME'] };
  await promisify(execFile)(process.execPath, ['--import', runTs, program, release.root, service, url], { env });
}

const missing = await whyNoPreviousRelease();

describeWhere(missing === undefined, missing ?? '', 'a database that the previous release made', () => {
  it.each(services)('of %s has after the upgrade the schema of a new one', async (service) => {
    const previous = await previousRelease();
    const [upgraded, fresh] = [await createTestDatabase(), await createTestDatabase()];
    try {
      await migrate(previous, service, upgraded);
      await migrate(presentRelease, service, upgraded);
      await migrate(presentRelease, service, fresh);
      expect(await dumpSchema(upgraded.url)).toEqual(await dumpSchema(fresh.url));
    } finally {
      await Promise.all([upgraded.drop(), fresh.drop()]);
    }
  });
});

describe('the dump of a schema', () => {
  const base = 'create table things (thing_id text primary key, size integer); create index things_size on things (size);';
  const dumpAfter = async (sql: string): Promise<string> => {
    const database = await createTestDatabase();
    const client = new Client({ connectionString: database.url });
    try {
      await client.connect();
      await client.query(base + sql);
      return await dumpSchema(database.url);
    } finally {
      await client.end();
      await database.drop();
    }
  };

  it.each([
    ['a column', 'alter table things add column note text'],
    ['a default', 'alter table things alter column size set default 0'],
    ['a column that may not be null', 'alter table things alter column size set not null'],
    ['an index', 'drop index things_size'],
    ['a constraint that is not validated', 'alter table things add check (size > 0) not valid'],
    ['a storage parameter', 'alter table things set (fillfactor = 90)'],
    ['a trigger', `create function nothing() returns trigger language plpgsql as 'begin return new; end';
       create trigger nothing before insert on things for each row execute function nothing()`],
  ])('sees %s', async (_what, change) => {
    expect(await dumpAfter(change)).not.toEqual(await dumpAfter(''));
  });
});

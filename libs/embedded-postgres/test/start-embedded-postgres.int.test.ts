import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { DataDirectoryInUse, PostgresFailed, startEmbeddedPostgres } from '../src/index.js';
import { findServerBinaries } from '../src/server-binaries.js';
import { query } from './query.js';
import { temporaryDirectories } from './temporary-directory.js';

// Making a cluster takes seconds, and many of them on a busy machine.
jest.setTimeout(120_000);

describe('startEmbeddedPostgres', () => {
  const newDirectory = temporaryDirectories();
  // Making a cluster takes seconds, starting one does not: what can share one, does.
  const dataDir = join(newDirectory(), 'not', 'there yet');

  it('makes the databases, and keeps what they hold for the next start', async () => {
    const first = await startEmbeddedPostgres({ dataDir, databases: ['one'] });
    await query(first.url('one'), "create table kept as select 'value' as it");
    await first.stop();

    const second = await startEmbeddedPostgres({ dataDir, databases: ['one', 'two-2'] });
    expect(await query(second.url('one'), 'select it from kept')).toEqual([{ it: 'value' }]);
    expect(await query(second.url('two-2'), 'select current_database() as name')).toEqual([{ name: 'two-2' }]);
    await second.stop();
  });

  it('is durable, takes UTF-8, and keeps values out of its log', async () => {
    const server = await startEmbeddedPostgres({ dataDir, databases: ['one'] });
    const settings = "select name, setting from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes')";
    const rows = await query<{ setting: string }>(server.url('one'), settings);
    expect(rows.map((row) => row.setting)).toEqual(['on', 'on', 'on']);
    expect(await query(server.url('one'), 'show server_encoding')).toEqual([{ server_encoding: 'UTF8' }]);

    await query(server.url('one'), 'create table secrets (value text unique)');
    await query(server.url('one'), "insert into secrets values ('s3cret')");
    await expect(query(server.url('one'), "insert into secrets values ('s3cret')")).rejects.toThrow('duplicate key');
    await server.stop();
    const log = readFileSync(join(dataDir, 'postgres', 'server.log'), 'utf8');
    expect(log).toContain('duplicate key');
    expect(log).not.toContain('s3cret');
  });

  it('wants the password', async () => {
    const server = await startEmbeddedPostgres({ dataDir, databases: ['one'] });
    const url = new URL(server.url('one'));
    url.password = 'wrong';
    await expect(query(url.href, 'select 1')).rejects.toThrow('password authentication failed');
    await server.stop();
  });

  it('refuses a directory that this process holds already, and frees it by stopping', async () => {
    const server = await startEmbeddedPostgres({ dataDir, databases: [] });
    await expect(startEmbeddedPostgres({ dataDir, databases: [] })).rejects.toThrow(DataDirectoryInUse);
    expect(await query(server.url('postgres'), 'select 1 as alive')).toEqual([{ alive: 1 }]);
    await Promise.all([server.stop(), server.stop()]);
    await (await startEmbeddedPostgres({ dataDir, databases: [] })).stop();
  });

  it('ends sessions that are still open when it stops', async () => {
    const server = await startEmbeddedPostgres({ dataDir, databases: ['one'] });
    const session = query(server.url('one'), 'select pg_sleep(60)');
    const outcome = expect(session).rejects.toThrow();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await server.stop();
    await outcome;
  });

  it('begins anew where making the cluster was interrupted', async () => {
    const interrupted = newDirectory();
    const half = join(interrupted, 'postgres.unfinished-0123');
    mkdirSync(join(half, 'data'), { recursive: true });
    writeFileSync(join(half, 'data', 'PG_VERSION'), '18\n');
    const server = await startEmbeddedPostgres({ dataDir: interrupted, databases: ['one'] });
    expect(await query(server.url('one'), 'select 1 as works')).toEqual([{ works: 1 }]);
    await server.stop();
    expect(readdirSync(interrupted).filter((name) => name.includes('unfinished'))).toEqual([]);
  });

  it('says what the server said when it does not start, and gives the directory back', async () => {
    const configuration = join(dataDir, 'postgres', 'data', 'postgresql.conf');
    const whole = readFileSync(configuration);
    appendFileSync(configuration, '\nno_such_setting = 1\n');
    const start = startEmbeddedPostgres({ dataDir, databases: [] });
    await expect(start).rejects.toThrow(PostgresFailed);
    await expect(start).rejects.toThrow('no_such_setting');
    writeFileSync(configuration, whole);
    await (await startEmbeddedPostgres({ dataDir, databases: [] })).stop();
  });

  it('names a platform that it has no server for', async () => {
    await expect(findServerBinaries('plan9-mips')).rejects.toMatchObject({
      name: 'PlatformUnsupported',
      platform: 'plan9-mips',
    });
    expect(existsSync((await findServerBinaries()).pgCtl)).toBe(true);
  });
});

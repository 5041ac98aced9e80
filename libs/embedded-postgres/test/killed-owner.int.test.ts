import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, jest } from '@jest/globals';
import { eventually, startProcess } from '@latchkey/kits';
import { DataDirectoryInUse, startEmbeddedPostgres } from '../src/index.js';
import { query } from './query.js';
import { temporaryDirectories } from './temporary-directory.js';

// A first start makes a cluster and, as root, may copy the binaries: seconds, and many of them on a busy machine.
jest.setTimeout(120_000);

const entry = 'libs/embedded-postgres/test/hold-postgres.ts';

async function startOwner(dataDir: string) {
  const owner = await startProcess({ entry, args: [dataDir] });
  const url = await eventually(
    () => {
      if (!owner.stdout().includes('\n')) throw new Error(`no address yet: ${owner.stderr()}`);
      return owner.stdout().trim();
    },
    { timeoutMs: 60_000 },
  );
  return { owner, url };
}

function postmasterOf(dataDir: string): number {
  return Number.parseInt(readFileSync(join(dataDir, 'postgres', 'data', 'postmaster.pid'), 'utf8'), 10);
}

describe('a data directory and the processes on it', () => {
  const newDirectory = temporaryDirectories();
  // Making a cluster takes seconds, starting one does not: what can share one, does.
  const dataDir = newDirectory();

  it('refuses a second process while the first one lives, which notices nothing', async () => {
    const { owner, url } = await startOwner(dataDir);
    await expect(startEmbeddedPostgres({ dataDir, databases: [] })).rejects.toThrow(DataDirectoryInUse);
    expect(await query(url, 'select 1 as alive')).toEqual([{ alive: 1 }]);
    expect(await owner.stop()).toEqual({ exitCode: 0, signal: null });
    await (await startEmbeddedPostgres({ dataDir, databases: [] })).stop();
  });

  it('loses nothing committed by kill -9 of its owner, and clears away the server that was left running', async () => {
    const { owner, url } = await startOwner(dataDir);
    await query(url, 'create table entries (id int)');
    let committed = 0;
    let alive = true;
    const writing = (async () => {
      while (alive) {
        const written = await query(url, `insert into entries values (${committed + 1}) returning id`).catch(() => []);
        committed += written.length;
      }
    })();
    await eventually(() => expect(committed).toBeGreaterThan(5));
    await owner.kill('SIGKILL');
    const orphan = postmasterOf(dataDir);

    const lines: string[] = [];
    const next = await startEmbeddedPostgres({ dataDir, databases: ['kept'], log: (line) => lines.push(line) });
    alive = false;
    await writing;
    expect(lines.join()).toContain('an earlier run left behind');
    // Gone, or a zombie that nobody has buried: either way without a working directory.
    expect(existsSync(`/proc/${orphan}/cwd`)).toBe(false);
    const [row] = await query<{ count: number }>(next.url('kept'), 'select count(*)::int as count from entries');
    // The insert under way may have been committed without its answer getting through.
    expect([committed, committed + 1]).toContain(row?.count);
    await next.stop();
  });

  it('recovers when owner and server were both killed', async () => {
    const { owner, url } = await startOwner(dataDir);
    await query(url, 'create table survivors as select 1 as id');
    await owner.kill('SIGKILL');
    process.kill(postmasterOf(dataDir), 'SIGKILL');
    const next = await startEmbeddedPostgres({ dataDir, databases: ['kept'] });
    expect(await query(next.url('kept'), 'select id from survivors')).toEqual([{ id: 1 }]);
    await next.stop();
  });

  it('starts after kill -9 in the middle of making the cluster', async () => {
    const empty = newDirectory();
    const owner = await startProcess({ entry, args: [empty] });
    await eventually(
      () => {
        const unfinished = readdirSync(empty).find((name) => name.startsWith('postgres.unfinished-'));
        expect(existsSync(join(empty, unfinished ?? '', 'data', 'base'))).toBe(true);
      },
      { intervalMs: 5, timeoutMs: 60_000 },
    );
    await owner.kill('SIGKILL');
    expect(existsSync(join(empty, 'postgres'))).toBe(false);
    const next = await startEmbeddedPostgres({ dataDir: empty, databases: ['kept'] });
    expect(await query(next.url('kept'), 'select 1 as works')).toEqual([{ works: 1 }]);
    await next.stop();
  });

  it('is not fooled by a stranger with the process id of a server from before a reboot, nor harms it', async () => {
    const server = await startEmbeddedPostgres({ dataDir, databases: ['kept'] });
    const pidFile = join(dataDir, 'postgres', 'data', 'postmaster.pid');
    const lines = readFileSync(pidFile, 'utf8').split('\n');
    await server.stop();

    const { uid, gid } = statSync(join(dataDir, 'postgres'));
    const stranger = spawn('sleep', ['60'], { uid, gid, stdio: 'ignore', cwd: '/' });
    writeFileSync(pidFile, [String(stranger.pid), ...lines.slice(1)].join('\n'));
    const next = await startEmbeddedPostgres({ dataDir, databases: ['kept'] });
    expect(await query(next.url('kept'), 'select 1 as works')).toEqual([{ works: 1 }]);
    expect(stranger.exitCode ?? stranger.signalCode).toBeNull();
    await next.stop();
    stranger.kill();
    await once(stranger, 'exit');
  });

  it('keeps its server out of the reach of Ctrl-C, so that the application can drain', async () => {
    const { owner } = await startOwner(dataDir);
    const server = postmasterOf(dataDir);
    // The fifth field of /proc/<pid>/stat, and the third after the name in brackets, is the process group.
    const group = readFileSync(`/proc/${server}/stat`, 'utf8').split(') ')[1]?.split(' ')[2];
    expect(Number(group)).toBe(server);
    await owner.stop();
  });
});

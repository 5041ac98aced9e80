import { chmodSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it, jest } from '@jest/globals';
import { describeWhere } from '@latchkey/kits';
import { startEmbeddedPostgres } from '../src/index.js';
import { chooseServerAccount, makeTraversable } from '../src/server-account.js';
import { findServerBinaries, reachableServerBinaries } from '../src/server-binaries.js';
import { query } from './query.js';
import { temporaryDirectories } from './temporary-directory.js';

// Making a cluster takes seconds, and many of them on a busy machine.
jest.setTimeout(120_000);

const permissions = (path: string) => (statSync(path).mode & 0o7777).toString(8);

describeWhere(process.getuid?.() === 0, 'root', 'startEmbeddedPostgres as root', () => {
  const newDirectory = temporaryDirectories();

  it('runs as somebody else in folders that were closed to everybody, opening them for passage only', async () => {
    const closed = newDirectory();
    const dataDir = join(closed, 'data');
    mkdirSync(dataDir, { mode: 0o700 });
    chmodSync(closed, 0o700);
    const lines: string[] = [];
    const server = await startEmbeddedPostgres({ dataDir, databases: ['one'], log: (line) => lines.push(line) });
    expect(await query(server.url('one'), 'select 1 as works')).toEqual([{ works: 1 }]);

    const cluster = join(dataDir, 'postgres');
    expect([permissions(closed), permissions(dataDir), permissions(cluster)]).toEqual(['701', '701', '700']);
    expect(statSync(cluster).uid).not.toBe(0);
    expect(lines).toHaveLength(2);
    const pid = Number.parseInt(readFileSync(join(cluster, 'data', 'postmaster.pid'), 'utf8'), 10);
    expect(statSync(`/proc/${pid}`).uid).toBe(statSync(cluster).uid);
    await server.stop();
  });

  it('leaves folders alone that can be passed already', async () => {
    const directory = newDirectory();
    const account = await chooseServerAccount(join(directory, 'postgres'));
    if (!account) throw new Error('root needs an account');
    expect(await makeTraversable(directory, account)).toEqual([directory]);
    expect(await makeTraversable(directory, account)).toEqual([]);
  });

  it('copies the binaries when the account cannot reach them, and uses the copy from then on', async () => {
    const clone = newDirectory();
    const dataDir = newDirectory();
    const account = await chooseServerAccount(join(dataDir, 'postgres'));
    if (!account) throw new Error('root needs an account');
    await makeTraversable(dataDir, account);
    const installed = await findServerBinaries();
    cpSync(dirname(dirname(dirname(installed.postgres))), join(clone, 'package'), {
      recursive: true,
      verbatimSymlinks: true,
    });
    const closedBin = join(clone, 'package', 'native', 'bin');
    const closed = {
      initdb: join(closedBin, 'initdb'),
      pgCtl: join(closedBin, 'pg_ctl'),
      postgres: join(closedBin, 'postgres'),
    };

    const umask = process.umask(0o077);
    const copied = await reachableServerBinaries(closed, dataDir, account).finally(() => process.umask(umask));
    expect(copied.postgres.startsWith(dataDir)).toBe(true);
    const { ino } = statSync(copied.postgres);
    expect(await reachableServerBinaries(closed, dataDir, account)).toEqual(copied);
    expect(statSync(copied.postgres).ino).toBe(ino);
    chmodSync(clone, 0o711);
    expect(await reachableServerBinaries(closed, dataDir, account)).toEqual(closed);
  });
});

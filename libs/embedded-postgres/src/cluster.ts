import { existsSync } from 'node:fs';
import { chown, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PostgresFailed } from './embedded-postgres-error.js';
import { runCommand } from './run-command.js';
import type { ServerAccount } from './server-account.js';
import type { ServerBinaries } from './server-binaries.js';

/** A cluster on disk: one folder, owned by the server's account, that appears and moves as a whole. */
export interface Cluster {
  /** PostgreSQL's own data directory. */
  data: string;
  log: string;
  /** Of the one role, `latchkey`, a superuser of this server alone. */
  password: string;
}

/** The only role of an embedded server. */
export const ROLE = 'latchkey';

const UNFINISHED_PREFIX = 'postgres.unfinished-';

/** Where the cluster of a data directory lies. */
export function clusterDirectory(dataDir: string): string {
  return join(dataDir, 'postgres');
}

/**
 * Opens the data directory's cluster, making it on the first start. The caller holds the directory's lock.
 *
 * A new one is made under another name, together with its password, and renamed when it is whole: a start that was
 * killed half-way leaves rubbish to clear away, never a cluster that fails the next start.
 */
export async function openCluster(
  dataDir: string,
  binaries: ServerBinaries,
  account: ServerAccount | undefined,
): Promise<Cluster> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(UNFINISHED_PREFIX)) await clearAway(join(dataDir, name));
  }
  const directory = clusterDirectory(dataDir);
  if (!existsSync(directory)) await createCluster(dataDir, directory, binaries, account);
  return {
    data: join(directory, 'data'),
    log: join(directory, 'server.log'),
    password: await readFile(join(directory, 'password'), 'utf8'),
  };
}

async function createCluster(
  dataDir: string,
  directory: string,
  binaries: ServerBinaries,
  account: ServerAccount | undefined,
): Promise<void> {
  const unfinished = join(dataDir, UNFINISHED_PREFIX + crypto.randomUUID());
  const passwordFile = join(unfinished, 'password');
  await mkdir(unfinished, { mode: 0o700 });
  await writeFile(passwordFile, crypto.randomUUID(), { mode: 0o600, flush: true });
  if (account) {
    await chown(passwordFile, account.uid, account.gid);
    await chown(unfinished, account.uid, account.gid);
  }
  const { exitCode, output } = await runCommand(
    binaries.initdb,
    [
      `--pgdata=${join(unfinished, 'data')}`,
      `--username=${ROLE}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
      '--no-instructions',
    ],
    account,
  );
  if (exitCode !== 0) {
    await clearAway(unfinished);
    throw new PostgresFailed('initdb', output);
  }
  await rename(unfinished, directory);
  await syncDirectory(dataDir);
}

/**
 * An `initdb` whose owner was killed is still at work in here: it adds files while they are removed, until it misses
 * one, gives up and clears away on its own.
 */
async function clearAway(unfinished: string): Promise<void> {
  await rm(unfinished, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/** Without this a power cut could take back the rename, and with it everything committed since. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const handle = await open(directory);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

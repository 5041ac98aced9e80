import { Client, escapeIdentifier } from 'pg';
import { clusterDirectory, openCluster, ROLE } from './cluster.js';
import { lockDataDirectory } from './data-directory-lock.js';
import type { DataDirectoryLock } from './data-directory-lock.js';
import { startPostmaster, stopOrphan, stopPostmaster } from './postmaster.js';
import type { PostmasterSetup } from './postmaster.js';
import { chooseServerAccount, makeTraversable } from './server-account.js';
import { findServerBinaries, reachableServerBinaries } from './server-binaries.js';

export interface EmbeddedPostgresOptions {
  /** Everything lies in here; made where it is missing. */
  dataDir: string;
  /** Databases that exist when this returns; what they held before stays. */
  databases: string[];
  /** Given when the caller has locked the directory already, and then released by the caller; taken here otherwise. */
  lock?: DataDirectoryLock;
  /** Hears the few lines worth telling whoever started this. */
  log?: (line: string) => void;
}

/** A running server that belongs to this process. */
export interface EmbeddedPostgres {
  /** Connection string of one of the databases, password included: not for logs. */
  url(database: string): string;
  /** Ends all sessions, waits until everything is written and the server is gone. Calling it again changes nothing. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL of our own on a data directory: scram passwords, a random port of 127.0.0.1, full durability.
 *
 * It outlives this process if that is killed, losing nothing committed; the next start on the same directory clears it
 * away first. As root it runs as an unprivileged user, for whom the directory and the folders above it are made
 * traversable, and the binaries copied into it if need be.
 *
 * @throws DataDirectoryInUse when another process works on the directory.
 * @throws PlatformUnsupported when npm has no binaries for this platform.
 * @throws PostgresFailed when the server cannot be made, started or stopped.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const lock = options.lock ?? lockDataDirectory(options.dataDir);
  const release = () => {
    if (!options.lock) lock.release();
  };
  try {
    const setup = await prepare(lock.dataDir, options.log ?? (() => undefined));
    await stopOrphan(setup);
    const port = await startPostmaster(setup);
    const url = (database: string) =>
      `postgresql://${ROLE}:${setup.cluster.password}@127.0.0.1:${port}/${encodeURIComponent(database)}`;
    try {
      await createDatabases(url('postgres'), options.databases);
    } catch (error) {
      await stopPostmaster(setup);
      throw error;
    }
    let stopped: Promise<void> | undefined;
    return { url, stop: () => (stopped ??= stopPostmaster(setup).finally(release)) };
  } catch (error) {
    release();
    throw error;
  }
}

async function prepare(dataDir: string, log: (line: string) => void): Promise<PostmasterSetup> {
  let binaries = await findServerBinaries();
  const account = await chooseServerAccount(clusterDirectory(dataDir));
  if (account) {
    for (const folder of await makeTraversable(dataDir, account)) {
      log(`PostgreSQL runs as ${account.name}, so others may now pass through ${folder} (not list or read it).`);
    }
    binaries = await reachableServerBinaries(binaries, dataDir, account);
  }
  return { cluster: await openCluster(dataDir, binaries, account), binaries, account, log };
}

async function createDatabases(adminUrl: string, databases: string[]): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
    const present = new Set(rows.map((row) => row.datname));
    for (const name of databases) {
      if (!present.has(name)) await client.query(`create database ${escapeIdentifier(name)}`);
    }
  } finally {
    await client.end();
  }
}

import { readFileSync, statSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Cluster } from './cluster.js';
import { PostgresFailed } from './embedded-postgres-error.js';
import { runCommand } from './run-command.js';
import type { ServerAccount } from './server-account.js';
import type { ServerBinaries } from './server-binaries.js';

/** A cluster and what is needed to run a server on it. */
export interface PostmasterSetup {
  cluster: Cluster;
  binaries: ServerBinaries;
  account: ServerAccount | undefined;
  log: (line: string) => void;
}

const START_ATTEMPTS = 5;
/** Recovery after a crash may take its time; giving up on it would only make the next start begin again. */
const START_TIMEOUT_SECONDS = 300;
const STOP_TIMEOUT_SECONDS = 60;
/** What passes by itself: somebody was faster at the port, or backends of a killed server are still dying. */
const PASSING_FAILURE = /could not bind|address already in use|could not create any TCP\/IP sockets|pre-existing shared memory/i;

const SETTINGS = [
  'listen_addresses=127.0.0.1',
  'unix_socket_directories=',
  'max_connections=150',
  'shared_buffers=64MB',
  'timezone=UTC',
  'log_timezone=UTC',
  'jit=off',
  // Neither statements nor DETAIL lines, which quote row values: cookies and tokens stay out of the log.
  'log_min_error_statement=panic',
  'log_error_verbosity=terse',
];

/** Starts the server on a free port of 127.0.0.1 and waits until it takes connections. Returns the port. */
export async function startPostmaster({ cluster, binaries, account }: PostmasterSetup): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    await keepPreviousLog(cluster.log);
    const port = await freePort();
    const options = [...SETTINGS, `port=${port}`].map((setting) => `-c ${setting}`).join(' ');
    const { exitCode, output } = await runCommand(
      binaries.pgCtl,
      ['start', '-w', '-t', String(START_TIMEOUT_SECONDS), '-D', cluster.data, '-l', cluster.log, '-o', options],
      account,
    );
    if (exitCode === 0) return port;
    const said = await lastLines(cluster.log, output);
    if (attempt === START_ATTEMPTS || !PASSING_FAILURE.test(said)) throw new PostgresFailed('start', said);
    await delay(200 * attempt);
  }
}

/** Ends every session and stops the server, having written everything; `immediate` only if that gets stuck. */
export async function stopPostmaster({ cluster, binaries, account }: PostmasterSetup): Promise<void> {
  const stop = (mode: string) =>
    runCommand(
      binaries.pgCtl,
      ['stop', '-m', mode, '-w', '-t', String(STOP_TIMEOUT_SECONDS), '-D', cluster.data],
      account,
    );
  if (!runningPid(cluster)) return;
  if ((await stop('fast')).exitCode === 0 || !runningPid(cluster)) return;
  const { exitCode, output } = await stop('immediate');
  if (exitCode !== 0 && runningPid(cluster)) throw new PostgresFailed('stop', output);
}

/**
 * Stops a server that an owner killed with `kill -9` has left running. The caller holds the directory's lock, so it
 * cannot belong to anybody. It is stopped and not adopted: sessions of the dead owner may still hold locks in it, and
 * its binaries may have been replaced on disk since.
 */
export async function stopOrphan(setup: PostmasterSetup): Promise<void> {
  const pid = runningPid(setup.cluster);
  if (!pid) return;
  if (isPostmasterOf(pid, setup.cluster)) {
    setup.log('Stopping the PostgreSQL that an earlier run left behind.');
    await stopPostmaster(setup);
  } else {
    // After a reboot the number may belong to some other process, which PostgreSQL would mistake for a running
    // server, and `pg_ctl stop` would shoot.
    await rm(pidFile(setup.cluster), { force: true });
  }
}

function pidFile(cluster: Cluster): string {
  return join(cluster.data, 'postmaster.pid');
}

/** The process that `postmaster.pid` names, if one of that number is alive. */
function runningPid(cluster: Cluster): number | undefined {
  try {
    const pid = Number.parseInt(readFileSync(pidFile(cluster), 'utf8'), 10);
    return pid > 0 && process.kill(pid, 0) ? pid : undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ESRCH') return undefined;
    // Somebody else's process: postmaster.pid was left behind by a reboot, or we lack the right to our own server.
    if (code === 'EPERM') return Number.parseInt(readFileSync(pidFile(cluster), 'utf8'), 10);
    throw error;
  }
}

/**
 * On Linux a postmaster is known by the folder that it works in, or, where a container may not look at that, by its
 * `-D` argument. Elsewhere nothing so exact is at hand, and the process is believed to be what its file says.
 */
function isPostmasterOf(pid: number, cluster: Cluster): boolean {
  if (process.platform !== 'linux') return true;
  const data = statSync(cluster.data);
  const isData = (path: string) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.ino === data.ino && found.dev === data.dev;
  };
  try {
    return isData(`/proc/${pid}/cwd`);
  } catch {
    const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const directory = argv[argv.indexOf('-D') + 1];
    return argv.includes('-D') && directory !== undefined && isData(directory);
  }
}

/** One log per start and the one before it: enough to see why a server died, and bounded. */
async function keepPreviousLog(log: string): Promise<void> {
  await rename(log, `${log}.previous`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

async function lastLines(log: string, otherwise: string): Promise<string> {
  const text = await readFile(log, 'utf8').catch(() => otherwise);
  return text.trim().split('\n').slice(-15).join('\n');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}

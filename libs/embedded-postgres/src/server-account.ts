import { chmod, readFile, realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { PostgresFailed } from './embedded-postgres-error.js';

/** The unprivileged user that the server runs as when we are root: PostgreSQL refuses to run as root. */
export interface ServerAccount {
  name: string;
  uid: number;
  gid: number;
}

const PREFERRED = ['postgres', 'nobody'];

/**
 * Who the server has to run as: undefined (ourselves) unless we are root. A cluster that exists keeps its owner, so
 * that a data directory first used without root goes on working with it; a new one goes to `postgres`, else `nobody`.
 */
export async function chooseServerAccount(clusterDir: string): Promise<ServerAccount | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const owner = await stat(clusterDir).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (owner && owner.uid !== 0) return { name: `user ${owner.uid}`, uid: owner.uid, gid: owner.gid };
  const accounts = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'));
  for (const name of PREFERRED) {
    const fields = accounts.find((account) => account[0] === name);
    // macOS writes nobody's ids as -2, which the kernel knows as unsigned.
    if (fields) return { name, uid: Number(fields[2]) >>> 0, gid: Number(fields[3]) >>> 0 };
  }
  throw new PostgresFailed(
    'start as root',
    `PostgreSQL does not run as root, and /etc/passwd knows neither ${PREFERRED.join(' nor ')}.`,
  );
}

/**
 * Lets the account pass through the directory and every folder above it. Only the one missing execute bit is set,
 * which lets nobody list or read anything; each folder so changed is returned, so that it can be told.
 */
export async function makeTraversable(directory: string, account: ServerAccount): Promise<string[]> {
  const changed: string[] = [];
  for (let at = await realpath(directory); ; at = dirname(at)) {
    const { mode, uid, gid } = await stat(at);
    const bit = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
    if (!(mode & bit)) {
      await chmod(at, (mode & 0o7777) | bit);
      changed.push(at);
    }
    if (at === dirname(at)) return changed;
  }
}

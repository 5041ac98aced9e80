import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { DataDirectoryInUse } from './embedded-postgres-error.js';

/** Held until `release()` or the end of the process, however that ends. */
export interface DataDirectoryLock {
  readonly dataDir: string;
  release(): void;
}

const SQLITE_BUSY = 5;

/**
 * Takes the data directory for this process, making it (mode 0700) where it is missing.
 *
 * The lock is an exclusive SQLite transaction on `<dataDir>/lock`, that is, a lock of the operating system: the kernel
 * drops it with the process, so `kill -9` leaves nothing stale; no process id is written down, so none can be mistaken
 * for another; and it lies in the directory itself, so two containers that share a volume exclude each other, which a
 * port or an abstract socket would not see. An advisory lock on the embedded server would come too late: what must be
 * kept apart includes starting that server.
 *
 * @throws DataDirectoryInUse when another process, or this one, holds it already.
 */
export function lockDataDirectory(dataDir: string): DataDirectoryLock {
  const directory = resolve(dataDir);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const file = join(directory, 'lock');
  createPrivately(file);
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    // No journal file: nothing is ever written, and it would only look like something to recover.
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) throw new DataDirectoryInUse(directory);
    throw error;
  }
  return {
    dataDir: directory,
    release: () => {
      if (database.isOpen) database.close();
    },
  };
}

/**
 * Makes the file readable for its owner alone, since any reader could hold a lock on it. `wx` opens a new file only:
 * closing a second descriptor of a file that is locked already would drop the lock (POSIX locks belong to the process).
 */
function createPrivately(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

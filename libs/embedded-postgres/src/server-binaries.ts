import { chmod, cp, mkdir, readdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { PlatformUnsupported, PostgresFailed } from './embedded-postgres-error.js';
import { runCommand } from './run-command.js';
import type { ServerAccount } from './server-account.js';

/** PostgreSQL's programs; `lib` and `share` lie beside their folder, where they look for them. */
export interface ServerBinaries {
  initdb: string;
  pgCtl: string;
  postgres: string;
}

const COPY_PREFIX = 'postgres-binaries-';

/** Finds the binaries that npm installed for `platform` (like `linux-x64`). Throws PlatformUnsupported without them. */
export async function findServerBinaries(platform = currentPlatform()): Promise<ServerBinaries> {
  const root = packageRoot(platform);
  await restoreSymlinks(root);
  return binariesIn(join(root, 'native'));
}

/**
 * The binaries at a place where `account` can run them: where they are, or else copied into the data directory. A clone
 * under a closed folder (root's home, say) is out of the account's reach, and it is not ours to open.
 */
export async function reachableServerBinaries(
  binaries: ServerBinaries,
  dataDir: string,
  account: ServerAccount,
): Promise<ServerBinaries> {
  if ((await runCommand(binaries.postgres, ['--version'], account)).exitCode === 0) return binaries;
  const native = dirname(dirname(binaries.postgres));
  const { version } = JSON.parse(await readFile(join(native, '..', 'package.json'), 'utf8')) as { version: string };
  const copy = join(dataDir, COPY_PREFIX + version);
  await removeOtherCopies(dataDir, basename(copy));
  if (!(await exists(copy))) await copyForEverybody(native, copy);
  const copied = binariesIn(copy);
  const attempt = await runCommand(copied.postgres, ['--version'], account);
  if (attempt.exitCode !== 0) throw new PostgresFailed(`running its binaries as ${account.name}`, attempt.output);
  return copied;
}

function currentPlatform(): string {
  return `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
}

function packageRoot(platform: string): string {
  try {
    const main = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(main));
  } catch {
    throw new PlatformUnsupported(platform);
  }
}

function binariesIn(native: string): ServerBinaries {
  const program = (name: string) => join(native, 'bin', process.platform === 'win32' ? `${name}.exe` : name);
  return { initdb: program('initdb'), pgCtl: program('pg_ctl'), postgres: program('postgres') };
}

/**
 * npm packages cannot hold symlinks, so the package makes its own in an install script. Where scripts are not allowed
 * to run, the server would not find its libraries: they are made here.
 */
async function restoreSymlinks(root: string): Promise<void> {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!(await exists(list))) return;
  const links = JSON.parse(await readFile(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(root, target);
    if (await exists(link)) continue;
    await symlink(relative(dirname(link), join(root, source)), link).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
    });
  }
}

/** Under another name first, so that a copy that was interrupted is never taken for a whole one. */
async function copyForEverybody(from: string, to: string): Promise<void> {
  const unfinished = `${to}.unfinished`;
  await rm(unfinished, { recursive: true, force: true });
  await mkdir(unfinished);
  await cp(from, unfinished, { recursive: true, verbatimSymlinks: true, filter: (source) => !source.endsWith('.a') });
  await openForReading(unfinished);
  await rename(unfinished, to);
}

/** A strict umask of root's would otherwise leave folders that only root can enter. */
async function openForReading(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openForReading(path);
    else if (entry.isFile()) await chmod(path, (await stat(path)).mode & 0o100 ? 0o755 : 0o644);
  }
}

async function removeOtherCopies(dataDir: string, keep: string): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith(COPY_PREFIX) && name !== keep) await rm(join(dataDir, name), { recursive: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

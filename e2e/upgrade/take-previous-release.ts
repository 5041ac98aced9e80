import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { presentRelease, type Release } from '../faults/system/replica.js';

const run = promisify(execFile);
const root = presentRelease.root;
/** Ignored by git, and not below a `node_modules`: sources there would not be compiled. */
const cache = join(root, '.nx', 'previous-release');

/** The commit whose services the present ones must be able to run beside. */
export function previousCommit(): string {
  return readFileSync(join(import.meta.dirname, 'previous-release'), 'utf8').trim();
}

/** Why the previous release cannot be had from this clone, or undefined if it can. */
export async function whyNoPreviousRelease(): Promise<string | undefined> {
  const commit = previousCommit();
  if (existsSync(join(cache, commit))) return undefined;
  const found = await run('git', ['cat-file', '-e', `${commit}^{commit}`], { cwd: root }).then(
    () => true,
    () => false,
  );
  if (found) return undefined;
  return `the commit ${commit} of e2e/upgrade/previous-release, which this clone does not have (git fetch --unshallow, or git fetch origin ${commit})`;
}

/** The sources of the previous release with their dependencies, made ready once for each clone. */
export async function previousRelease(): Promise<Release> {
  const commit = previousCommit();
  const folder = join(cache, commit);
  const release = { name: 'previous', root: folder };
  // What was taken from this clone may have changed since; npm leaves a note where it has installed.
  const isLinked = existsSync(folder) && !existsSync(join(folder, 'node_modules', '.package-lock.json'));
  if (isLinked && !hasTheDependenciesOf(folder)) rmSync(folder, { recursive: true, force: true });
  if (existsSync(folder)) return release;
  const missing = await whyNoPreviousRelease();
  if (missing !== undefined) throw new Error(`The upgrade suite needs ${missing}.`);
  const unfinished = `${folder}.${process.pid}`;
  try {
    mkdirSync(unfinished, { recursive: true });
    await unpack(commit, unfinished);
    if (hasTheDependenciesOf(unfinished)) linkDependencies(unfinished);
    else await installDependencies(unfinished);
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return release;
}

async function unpack(commit: string, folder: string): Promise<void> {
  const archive = spawn('git', ['archive', '--format=tar', commit], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
  const tar = spawn('tar', ['-x', '-C', folder], { stdio: ['pipe', 'ignore', 'inherit'] });
  archive.stdout.pipe(tar.stdin);
  const [[archived], [unpacked]] = (await Promise.all([once(archive, 'close'), once(tar, 'close')])) as [[number], [number]];
  if (archived !== 0 || unpacked !== 0) throw new Error(`git archive ${commit} | tar -x ended with ${archived} and ${unpacked}.`);
}

interface LockedPackage {
  readonly version?: string;
  readonly link?: boolean;
  /** The workspace's folder, where it is a link. */
  readonly resolved?: string;
  readonly dev?: boolean;
}

const packagesOf = (folder: string): Record<string, LockedPackage> =>
  (JSON.parse(readFileSync(join(folder, 'package-lock.json'), 'utf8')) as { packages: Record<string, LockedPackage> }).packages;

/** Whether everything that its services run on, and the compiler of their sources, is here in the same version. */
function hasTheDependenciesOf(folder: string): boolean {
  const present = packagesOf(root);
  return Object.entries(packagesOf(folder))
    .filter(([path, { link, dev }]) => path.includes('node_modules/') && !link && (!dev || path.includes('@swc/')))
    .every(([path, { version }]) => present[path]?.version === version);
}

/** What comes from the registry is taken from this clone; the workspaces' own packages are those of the release. */
function linkDependencies(folder: string): void {
  for (const modules of [join(root, 'node_modules'), ...nestedModules()]) {
    const target = join(folder, relative(root, modules));
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(modules)) {
      // npm's own notes and our caches lie in hidden entries. Programs are not needed.
      if (!name.startsWith('.') && name !== '@latchkey') symlinkSync(join(modules, name), join(target, name));
    }
  }
  mkdirSync(join(folder, 'node_modules', '@latchkey'));
  for (const [path, { link, resolved }] of Object.entries(packagesOf(folder))) {
    if (link && resolved && path.startsWith('node_modules/@latchkey/')) symlinkSync(join('..', '..', resolved), join(folder, path));
  }
}

/** Folders of workspaces that need another version of a package than the rest. */
function nestedModules(): string[] {
  const paths = Object.keys(packagesOf(root)).filter((path) => /^(apps|libs)\/[^/]+\/node_modules\//.test(path));
  const folders = paths.map((path) => join(root, path.slice(0, path.indexOf(`node_modules/`) + 'node_modules'.length)));
  return [...new Set(folders)].filter((path) => existsSync(path));
}

async function installDependencies(folder: string): Promise<void> {
  const args = ['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'];
  // Not with a Node that lies in this clone's node_modules: npm scripts put that first.
  const path = (process.env['PATH'] ?? '').split(':').filter((entry) => !entry.includes(`${sep}node_modules${sep}`));
  await run('npm', args, { cwd: folder, env: { ...process.env, PATH: [dirname(process.execPath), ...path].join(':') } });
}

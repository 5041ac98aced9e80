import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import * as testing from '../src/index.js';

jest.setTimeout(120_000);
const run = promisify(execFile);
const project = resolve(import.meta.dirname, '..');
let built: string;

beforeAll(async () => {
  // Apart from dist, where files may lie whose sources are gone.
  built = await mkdtemp(join(tmpdir(), 'latchkey-testing-'));
  for (const file of ['package.json', 'README.md']) await cp(join(project, file), join(built, file));
  const tsc = resolve(project, '../../node_modules/typescript/bin/tsc');
  const apart = ['--composite', 'false', '--incremental', 'false', '--tsBuildInfoFile', 'null'];
  // What it is built upon has to be built itself, which it is nowhere in a fresh clone.
  await run(process.execPath, [tsc, '--build', join(project, 'tsconfig.lib.json')]);
  await run(process.execPath, [tsc, '-p', join(project, 'tsconfig.lib.json'), '--outDir', join(built, 'dist'), ...apart]);
});
afterAll(async () => rm(built, { recursive: true, force: true }));

it('the package holds what it exports, and nothing else', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--offline'], { cwd: built });
  const [{ files }] = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>) as [{ files: { path: string }[] }];
  const packed = files.map(({ path }) => path).sort();
  for (const path of ['package.json', 'README.md', 'dist/index.js', 'dist/index.d.ts']) expect(packed).toContain(path);
  expect(packed.filter((path) => !/^(?:package\.json|README\.md|dist\/[\w/-]+\.(?:js|d\.ts))$/.test(path))).toEqual([]);
  expect(packed.filter((path) => /spec|test\//.test(path))).toEqual([]);
});

it('names every package that it imports, and those alone', async () => {
  const { dependencies, peerDependencies } = JSON.parse(await readFile(join(built, 'package.json'), 'utf8')) as Record<string, object>;
  const imported = new Set<string>();
  const { stdout } = await run('find', [join(built, 'dist'), '-name', '*.js']);
  for (const file of stdout.trim().split('\n')) {
    for (const [, from] of (await readFile(file, 'utf8')).matchAll(/from ['"](?!node:)((?:@[\w-]+\/)?[a-z][\w-]*)/g)) imported.add(from!);
  }
  expect([...imported].sort()).toEqual([...Object.keys(dependencies!), ...Object.keys(peerDependencies!)].sort());
});

it('offers what the README names', () => {
  expect(Object.keys(testing).sort()).toEqual([
    'LatchkeyContainer',
    'LatchkeyStack',
    'StartedLatchkeyContainer',
    'StartedLatchkeyStack',
    'UnexpectedAnswer',
    'aBoundDevice',
    'aDevice',
    'aPurchase',
    'eventually',
  ]);
});

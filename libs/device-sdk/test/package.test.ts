import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import * as sdk from '../src/index.js';
import * as node from '../src/node.js';

jest.setTimeout(120_000);

/** What a page loads at most, minified by nobody, in bytes after gzip. */
const GZIP_BYTES_MAX = 12 * 1024;
const run = promisify(execFile);
const project = resolve(import.meta.dirname, '..');
const report = join(project, 'api-report.txt');
let built: string;

beforeAll(async () => {
  // Apart from dist, where files may lie whose sources are gone.
  built = await mkdtemp(join(tmpdir(), 'latchkey-device-sdk-'));
  for (const file of ['package.json', 'README.md']) await cp(join(project, file), join(built, file));
  const tsc = resolve(project, '../../node_modules/typescript/bin/tsc');
  await run(process.execPath, [tsc, '-p', join(project, 'tsconfig.lib.json'), '--outDir', join(built, 'dist'), '--composite', 'false', '--incremental', 'false', '--tsBuildInfoFile', 'null']);
});
afterAll(async () => rm(built, { recursive: true, force: true }));

/** The modules that one brings with it, itself first, by what they import from each other; and what they import from outside. */
async function graphOf(entry: string, ending: '.js' | '.d.ts'): Promise<{ files: string[]; outside: string[] }> {
  const files = [join(built, 'dist', entry + ending)];
  const outside = new Set<string>();
  for (const file of files) {
    for (const [, from] of (await readFile(file, 'utf8')).matchAll(/(?:from|import) ['"]([^'"]+)['"]/g)) {
      if (!from!.startsWith('.')) outside.add(from!);
      const next = resolve(dirname(file), from!.replace(/\.js$/, ending));
      if (from!.startsWith('.') && !files.includes(next)) files.push(next);
    }
  }
  return { files, outside: [...outside] };
}

it('a page needs nothing but the platform, and little of the viewer’s time', async () => {
  const { files, outside } = await graphOf('index', '.js');
  expect(outside).toEqual([]);
  const all = await Promise.all(files.map((file) => readFile(file)));
  expect(all.length).toBeGreaterThan(10);
  expect(gzipSync(Buffer.concat(all)).length).toBeLessThanOrEqual(GZIP_BYTES_MAX);
});

it('what is for Node alone stands in its own entry', async () => {
  const { outside } = await graphOf('node', '.js');
  expect(outside.sort()).toEqual(['node:fs/promises', 'node:path']);
});

it('the package holds what it exports, and nothing else', async () => {
  const { stdout } = await run('npm', ['pack', '--dry-run', '--json', '--offline'], { cwd: built });
  const [{ files }] = Object.values(JSON.parse(stdout) as Record<string, { files: { path: string }[] }>) as [{ files: { path: string }[] }];
  const packed = files.map(({ path }) => path).sort();
  const graphs = await Promise.all((['index', 'node'] as const).flatMap((entry) => [graphOf(entry, '.js'), graphOf(entry, '.d.ts')]));
  const reached = graphs.flatMap((graph) => graph.files.map((file) => relative(built, file)));
  for (const path of ['package.json', 'README.md', ...reached]) expect(packed).toContain(path);
  expect(packed.filter((path) => !/^(?:package\.json|README\.md|dist\/[\w/-]+\.(?:js|d\.ts))$/.test(path))).toEqual([]);
  expect(packed.filter((path) => /spec|test/.test(path))).toEqual([]);
  const { dependencies } = JSON.parse(await readFile(join(built, 'package.json'), 'utf8')) as { dependencies: object };
  expect(dependencies).toEqual({});
});

/** Every exported name, and the declarations behind them. A change here is a change for whoever has the library in an app. */
it('the public surface is the one that is written down (LATCHKEY_WRITE_API_REPORT=1 writes it down anew)', async () => {
  const files = new Set<string>();
  for (const entry of ['index', 'node']) for (const file of (await graphOf(entry, '.d.ts')).files) files.add(file);
  const texts = await Promise.all([...files].sort().map(async (file) => `== ${relative(join(built, 'dist'), file)}\n${await readFile(file, 'utf8')}`));
  const names = (module: object): string => Object.keys(module).sort().join(', ');
  const now = [`@latchkey/device-sdk: ${names(sdk)}`, `@latchkey/device-sdk/node: ${names(node)}`, ...texts].join('\n');
  if (process.env['LATCHKEY_WRITE_API_REPORT'] === '1') await writeFile(report, now);
  expect(now).toBe(await readFile(report, 'utf8'));
});

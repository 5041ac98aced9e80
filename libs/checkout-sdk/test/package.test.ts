import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import * as sdk from '../src/index.js';

jest.setTimeout(180_000);

const run = promisify(execFile);
const project = resolve(import.meta.dirname, '..');
const root = resolve(project, '../..');
const tsc = join(root, 'node_modules/typescript/bin/tsc');
const report = join(project, 'api-report.txt');
let folder: string;
let consumer: string;
const packed: Record<string, string[]> = {};

/** Builds a library apart from its dist, where files may lie whose sources are gone; packs it, and installs what was packed. */
async function install(name: string): Promise<void> {
  const library = join(root, 'libs', name);
  const built = join(folder, name);
  await mkdir(built);
  await cp(join(library, 'package.json'), join(built, 'package.json'));
  if (name === 'checkout-sdk') await cp(join(library, 'README.md'), join(built, 'README.md'));
  // What it is built upon has to be built itself, which it is nowhere in a fresh clone.
  await run(process.execPath, [tsc, '--build', join(library, 'tsconfig.lib.json')]);
  await run(process.execPath, [tsc, '-p', join(library, 'tsconfig.lib.json'), '--outDir', join(built, 'dist'), '--composite', 'false', '--incremental', 'false', '--tsBuildInfoFile', 'null']);
  const { stdout } = await run('npm', ['pack', '--json', '--offline'], { cwd: built });
  const [{ filename, files }] = Object.values(JSON.parse(stdout) as Record<string, { filename: string; files: { path: string }[] }>) as [{ filename: string; files: { path: string }[] }];
  packed[name] = files.map(({ path }) => path).sort();
  const target = join(consumer, 'node_modules/@latchkey', name);
  await mkdir(target, { recursive: true });
  await run('tar', ['-xzf', join(built, filename), '-C', target, '--strip-components=1']);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-checkout-sdk-'));
  consumer = join(folder, 'consumer');
  for (const name of ['contracts', 'checkout-sdk']) await install(name);
  // What a registry would bring, and nothing else: an import that no manifest names does not resolve.
  await mkdir(join(consumer, 'node_modules/@types'));
  for (const name of ['amqplib', 'zod', '@types/node', 'undici-types']) await symlink(join(root, 'node_modules', name), join(consumer, 'node_modules', name));
  await writeFile(join(consumer, 'package.json'), '{"type":"module"}');
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('the packages hold what is built, and nothing else', () => {
  for (const [name, files] of Object.entries(packed)) {
    expect([name, files.filter((path) => !/^(?:package\.json|README\.md|dist\/[\w/-]+\.(?:js|d\.ts))$/.test(path))]).toEqual([name, []]);
    expect([name, files.filter((path) => /spec|test|golden/.test(path))]).toEqual([name, []]);
    expect(files).toEqual(expect.arrayContaining(['package.json', 'dist/index.js', 'dist/index.d.ts']));
  }
});

it('brings the AMQP client and the contracts along, at the versions that it is tried with', async () => {
  const manifest = async (name: string) => JSON.parse(await readFile(join(root, name, 'package.json'), 'utf8')) as { version: string; dependencies: Record<string, string> };
  const [own, contracts, amqplib] = await Promise.all(['libs/checkout-sdk', 'libs/contracts', 'node_modules/amqplib'].map(manifest));
  expect(own!.dependencies).toEqual({ '@latchkey/contracts': contracts!.version, amqplib: amqplib!.version });
  expect(Object.keys(contracts!.dependencies)).toEqual(['zod']);
});

it('runs in a project that installs them', async () => {
  await writeFile(
    join(consumer, 'index.mjs'),
    `import { CheckoutError, connectCheckout } from '@latchkey/checkout-sdk';
     const error = await connectCheckout({ url: 'amqp://checkout-acme:password@127.0.0.1:1', timeoutMs: 50 }).catch((caught) => caught);
     console.log(error instanceof CheckoutError, error.code);`,
  );
  expect((await run(process.execPath, ['index.mjs'], { cwd: consumer, env: {} })).stdout).toBe('true unreachable\n');
});

it('has types for a project that installs them, and they refuse what is wrong', async () => {
  const publish = (purchase: string): string =>
    `import { connectCheckout, type PublishOutcome } from '@latchkey/checkout-sdk';
     const checkout = await connectCheckout({ url: 'amqp://checkout-acme:password@127.0.0.1' });
     export const outcome: PublishOutcome = (await checkout.publishPurchaseCompleted(${purchase})).outcome;`;
  await writeFile(join(consumer, 'right.mts'), publish(`{ purchaseId: 'a', cookie: 'b', contentId: 'c', kids: ['d'], rights: { type: 'purchase' } }`));
  await writeFile(join(consumer, 'wrong.mts'), publish(`{ purchaseId: 'a', cookie: 'b', contentId: 'c', kids: ['d'], rights: { type: 'gift' } }`));
  const check = (file: string) => run(process.execPath, [tsc, '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2022', '--types', 'node', file], { cwd: consumer });
  await expect(check('right.mts')).resolves.toMatchObject({ stdout: '' });
  await expect(check('wrong.mts')).rejects.toMatchObject({ stdout: expect.stringContaining(`wrong.mts(3,`) });
});

/** Every exported name, and the declarations behind them. A change here is a change for whoever has the library in a checkout. */
it('the public surface is the one that is written down (LATCHKEY_WRITE_API_REPORT=1 writes it down anew)', async () => {
  const dist = join(consumer, 'node_modules/@latchkey/checkout-sdk/dist');
  const files = [join(dist, 'index.d.ts')];
  for (const file of files) {
    for (const [, from] of (await readFile(file, 'utf8')).matchAll(/from '(\.[^']+)\.js'/g)) {
      const next = join(dist, `${from!}.d.ts`);
      if (!files.includes(next)) files.push(next);
    }
  }
  expect(await readdir(dist)).toEqual(expect.arrayContaining(files.map((file) => relative(dist, file))));
  const texts = await Promise.all(files.sort().map(async (file) => `== ${relative(dist, file)}\n${await readFile(file, 'utf8')}`));
  const now = [`@latchkey/checkout-sdk: ${Object.keys(sdk).sort().join(', ')}`, ...texts].join('\n');
  if (process.env['LATCHKEY_WRITE_API_REPORT'] === '1') await writeFile(report, now);
  expect(now).toBe(await readFile(report, 'utf8'));
});

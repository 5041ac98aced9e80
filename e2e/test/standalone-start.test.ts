import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, startProcess } from '@latchkey/kits';

// Processes start and stop here, on machines that may be busy.
jest.setTimeout(180_000);

const root = dirname(dirname(import.meta.dirname));
/** Port 1 of the loopback address: nothing listens there, and only root could. */
const PASSWORD = 'swordfish';
const REFUSED = '127.0.0.1:1';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-start-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const start = (env: Record<string, string>) =>
  startProcess({ entry: 'apps/standalone/src/main.ts', env: { LATCHKEY_PORT: '0', ...env } });

describe('a start that cannot be', () => {
  const file = async (...path: string[]): Promise<string> => {
    const name = join(folder, ...path);
    await mkdir(dirname(name), { recursive: true });
    await writeFile(name, 'x\n');
    return name;
  };
  const secretThatIsAFolder = async (): Promise<string> => {
    await mkdir(join(folder, 'odd', 'secrets', 'kek'), { recursive: true });
    return join(folder, 'odd');
  };
  const unreadableKek = async (): Promise<string> => dirname(dirname(await file('wrong', 'secrets', 'kek')));
  const logThatIsAFolder = async (): Promise<string> => {
    await mkdir(join(folder, 'log', 'latchkey.log'), { recursive: true });
    return join(folder, 'log');
  };

  it.each([
    ['a data directory that is a file', 'LATCHKEY_DATA_DIR', async () => ({ LATCHKEY_DATA_DIR: await file('file') })],
    ['one below a file', 'LATCHKEY_DATA_DIR', async () => ({ LATCHKEY_DATA_DIR: join(await file('file'), 'data') })],
    ['one whose name is too long', 'LATCHKEY_DATA_DIR', async () => ({ LATCHKEY_DATA_DIR: join(folder, 'x'.repeat(300)) })],
    ['a secret that cannot be read', 'LATCHKEY_DATA_DIR', async () => ({ LATCHKEY_DATA_DIR: await secretThatIsAFolder() })],
    ['a secret that is none', 'LATCHKEY_KEK', async () => ({ LATCHKEY_DATA_DIR: await unreadableKek() })],
    ['a log that cannot be written', 'LATCHKEY_DATA_DIR', async () => ({ LATCHKEY_DATA_DIR: await logThatIsAFolder() })],
    ['a host that is not of this machine', 'LATCHKEY_HOST', async () => ({ LATCHKEY_HOST: '192.0.2.1' })],
    ['a database server that refuses', 'DATABASE_URL', async () => ({ DATABASE_URL: `postgres://u:${PASSWORD}@${REFUSED}/x` })],
  ])('ends in a sentence that names the variable: %s', async (what, variable, environmentOf) => {
    const given = await environmentOf();
    const env = { LATCHKEY_DATA_DIR: join(folder, what.replaceAll(' ', '-')), ...given };
    const failed = await start(env);
    expect((await failed.ended).exitCode).toBeGreaterThan(0);
    expect(failed.stderr()).toContain('Latchkey did not start: ');
    expect(failed.stderr()).toContain(variable);
    expect(failed.stderr()).not.toMatch(/^ {4}at |swordfish/m);
    expect(failed.stdout()).not.toContain('is ready');
  });
});

it('says that it waits for a broker that is away, does not say ready, and stops cleanly meanwhile', async () => {
  const waiting = await start({ LATCHKEY_DATA_DIR: join(folder, 'no-broker'), AMQP_URL: `amqp://guest:${PASSWORD}@${REFUSED}` });
  try {
    await eventually(async () => expect(waiting.stdout()).toContain('Waiting for the broker that AMQP_URL names'), {
      timeoutMs: 90_000,
    });
  } finally {
    expect(await waiting.stop(60_000)).toEqual({ exitCode: 0, signal: null });
  }
  expect(waiting.stdout()).not.toMatch(/is ready|swordfish/);
});

it('drains, stops its PostgreSQL and ends with 0 after the reader of its output is gone', async () => {
  const dataDir = join(folder, 'unread');
  const child = spawn(process.execPath, [join(root, 'tools', 'launch.mjs'), 'start'], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], LATCHKEY_DATA_DIR: dataDir, LATCHKEY_PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit');
  const postmasters = async (): Promise<string[]> =>
    (await readdir(dataDir, { recursive: true })).filter((name) => name.endsWith('postmaster.pid'));
  try {
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await eventually(async () => expect(printed).toContain('is ready'), { timeoutMs: 90_000 });
    expect(await postmasters()).toHaveLength(1);
    // As `head` does when it has its lines: its end of the pipe is closed.
    child.stdout.destroy();
    child.stderr.destroy();
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
    expect(await postmasters()).toEqual([]);
  } finally {
    child.kill('SIGKILL');
  }
});

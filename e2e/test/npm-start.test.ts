import { execFileSync, spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { eventually, freePort } from '@latchkey/kits';

// A clone is made here, and processes start and stop, on machines that may be busy.
jest.setTimeout(180_000);

const root = dirname(dirname(import.meta.dirname));

/** `npm start` in a process group of its own, as a shell with job control or a service manager starts it. */
function npmStart(cwd: string, environment: Record<string, string>) {
  const child = spawn('npm', ['start'], { cwd, detached: true, env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })));
  const signalGroup = (signal: NodeJS.Signals): void => void process.kill(-child.pid!, signal);
  return { ended, signalGroup, printed: () => printed };
}

describe('npm start', () => {
  let folder: string;
  let clone: string;
  let environment: Record<string, string>;
  let origin: string;
  const started: ReturnType<typeof npmStart>[] = [];

  /** A checkout that only its owner may enter, with a data directory just as closed, as root's home folder is. */
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latchkey-npm-start-'));
    clone = join(folder, 'clone');
    await mkdir(clone);
    execFileSync('bash', ['-c', 'git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$0"', clone], { cwd: root });
    // Hard links where the file system allows, because the dependencies are many.
    const link = 'for each in node_modules {apps,libs}/*/node_modules; do [ ! -d $each ] || cp -al $each "$0/$each" 2>/dev/null || cp -a $each "$0/$each"; done';
    execFileSync('bash', ['-c', link, clone], { cwd: root });
    await chmod(clone, 0o700);
    await chmod(folder, 0o700);
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    environment = { LATCHKEY_DATA_DIR: join(folder, 'data'), LATCHKEY_PORT: String(port) };
    await mkdir(environment['LATCHKEY_DATA_DIR']!, { mode: 0o700 });
  }, 180_000);
  afterAll(async () => {
    for (const { signalGroup } of started) {
      try {
        signalGroup('SIGKILL');
      } catch (error) {
        // Ended as it should have.
        if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      }
    }
    await rm(folder, { recursive: true, force: true });
  }, 60_000);

  const ready = async (): Promise<void> => {
    const running = npmStart(clone, environment);
    started.push(running);
    await eventually(async () => expect((await fetch(`${origin}/health/ready`)).status).toBe(200), { timeoutMs: 90_000, intervalMs: 100 }).catch((error: unknown) => {
      throw new Error(`not ready: ${running.printed()}`, { cause: error });
    });
  };

  it('runs from a checkout and on a data directory that only their owner may enter', async () => {
    await ready();
    // It looks now and then whether it is ready, and says so after others may have seen it.
    await eventually(() => expect(started.at(-1)!.printed()).toContain('npm run demo'), { timeoutMs: 30_000 });
    expect((await stat(clone)).mode & 0o777).toBe(0o700);
  });

  it('ends with 0 when its process group is told to, once and again while it drains', async () => {
    const { signalGroup, ended } = started.at(-1)!;
    // A stream that is open makes the draining last a moment.
    const key = (await readFile(join(environment['LATCHKEY_DATA_DIR']!, 'secrets', 'api-key'), 'utf8')).trim();
    const stream = await fetch(`${origin}/v1/events`, { headers: { authorization: `Bearer ${key}` } });
    expect(stream.status).toBe(200);
    signalGroup('SIGTERM');
    // Not at once, or the two would be one; and while it drains, which the stream keeps it at.
    await new Promise((resolve) => setTimeout(resolve, 150));
    signalGroup('SIGTERM');
    const tooLate = new Promise<string>((resolve) => setTimeout(() => resolve('still running after 15 s'), 15_000).unref());
    expect(await Promise.race([ended, tooLate])).toEqual({ code: 0, signal: null });
    await stream.body?.cancel().catch(() => undefined);
  });

  it('starts again on what it left, and ends with 0 on Ctrl-C as well', async () => {
    await ready();
    const { signalGroup, ended } = started.at(-1)!;
    signalGroup('SIGINT');
    expect(await ended).toEqual({ code: 0, signal: null });
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface ProcessOptions {
  /** A TypeScript file of the workspace, from its root: `apps/standalone/src/main.ts`. */
  entry: string;
  /** Another workspace to take it from, such as an earlier release; this one unless told. */
  root?: string;
  args?: string[];
  /** The whole environment beside PATH and HOME: nothing of the test's own leaks in. */
  env?: Record<string, string>;
  /** Asked until it answers 2xx; without it the process counts as ready at once. */
  readyUrl?: string;
  readyTimeoutMs?: number;
}

export interface ProcessEnd {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
}

/** A program of the workspace in a process of its own, run from source. */
export interface StartedProcess {
  pid: number;
  /** Everything it has printed so far. */
  stdout(): string;
  stderr(): string;
  ended: Promise<ProcessEnd>;
  /** Sends a signal and waits for the end. */
  kill(signal: NodeJS.Signals): Promise<ProcessEnd>;
  /** SIGTERM, then the end; SIGKILL and a failure when that takes over `timeoutMs` (15 s). */
  stop(timeoutMs?: number): Promise<ProcessEnd>;
}

/** A test that failed half-way must not leave its processes to the machine. One listener for all: there may be dozens. */
const alive = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

const ownRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** Starts it and waits until it is ready. Rejects with what it printed when it ends before, or is not ready in time. */
export async function startProcess(options: ProcessOptions): Promise<StartedProcess> {
  const root = options.root ?? ownRoot;
  const runTs = pathToFileURL(join(root, 'tools', 'run-ts.mjs')).href;
  const child = spawn(process.execPath, ['--import', runTs, join(root, options.entry), ...(options.args ?? [])], {
    cwd: root,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  alive.add(child);
  const ended = new Promise<ProcessEnd>((settle) => {
    // `close` would wait for grandchildren that still hold the pipes, such as a database server that outlives a kill.
    child.once('exit', (exitCode, signal) => {
      alive.delete(child);
      settle({ exitCode, signal });
    });
  });
  const started: StartedProcess = {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    ended,
    kill: (signal) => {
      child.kill(signal);
      return ended;
    },
    stop: async (timeoutMs = 15_000) => {
      child.kill('SIGTERM');
      const end = await Promise.race([ended, delay(timeoutMs, undefined, { ref: false })]);
      if (end) return end;
      child.kill('SIGKILL');
      throw new Error(`${options.entry} did not stop within ${timeoutMs} ms of SIGTERM.\n${stdout}${stderr}`);
    },
  };
  await untilReady(started, options);
  return started;
}

async function untilReady(started: StartedProcess, { entry, readyUrl, readyTimeoutMs = 30_000 }: ProcessOptions) {
  if (!readyUrl) return;
  let end: ProcessEnd | undefined;
  void started.ended.then((value) => (end = value));
  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline && !end) {
    const status = await fetch(readyUrl).then(
      (response) => response.body?.cancel().then(() => response.status) ?? response.status,
      () => undefined,
    );
    if (status !== undefined && status >= 200 && status < 300) return;
    await delay(25);
  }
  const why = end ? `ended with ${end.exitCode ?? end.signal}` : `was not ready within ${readyTimeoutMs} ms`;
  if (!end) await started.kill('SIGKILL');
  throw new Error(`${entry} ${why}.\n${started.stdout()}${started.stderr()}`);
}

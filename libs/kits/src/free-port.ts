import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FIRST_PORT = 20_000;
const PORTS = 11_000;

let next: number | undefined;
const reserved = new Set<string>();

/**
 * A port of 127.0.0.1 that is free, and stays so until the caller's server listens on it, which for a service is seconds
 * later. It lies below the range from which systems give ports away, and a file reserves it for this process, so that no
 * other worker and no other test run on the machine is given the same one. The reservation ends with the process.
 */
export async function freePort(): Promise<number> {
  // Starting at different places, two processes seldom meet; where they do, the reservation decides.
  next ??= (process.pid * 37) % PORTS;
  for (let tried = 0; tried < PORTS; tried += 1) {
    const port = FIRST_PORT + (next++ % PORTS);
    if (reserve(port) && (await isFree(port))) return port;
  }
  throw new Error(`none of the ports from ${FIRST_PORT} to ${FIRST_PORT + PORTS - 1} is free`);
}

function reserve(port: number): boolean {
  const file = join(tmpdir(), `latchkey-port-${port}`);
  if (reserved.has(file)) return false;
  if (create(file)) return true;
  const owner = Number(read(file));
  // 0: its owner has created the file and not yet written into it.
  if (owner === 0 || isAlive(owner)) return false;
  // Its owner is gone. Of two processes that see this at once, one creates the file again.
  rmSync(file, { force: true });
  return create(file);
}

function create(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  if (reserved.size === 0) process.once('exit', releaseAll);
  reserved.add(file);
  return true;
}

function releaseAll(): void {
  for (const file of reserved) rmSync(file, { force: true });
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

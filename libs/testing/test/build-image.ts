import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../../..');
const run = promisify(execFile);

/** Builds an image of this checkout, as the README says to, and resolves to its name. Docker keeps the layers: it is built once. */
export async function buildImage(name: 'latchkey/standalone' | 'latchkey/service'): Promise<string> {
  const target = name === 'latchkey/standalone' ? ['--target', 'standalone'] : [];
  await run('docker', ['build', '-q', ...target, '-t', name, '.'], { cwd: root });
  return name;
}

/** How long a build may take where no layer is there yet, in milliseconds. */
export const BUILD_MS = 600_000;

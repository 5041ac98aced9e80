import { spawn } from 'node:child_process';
import { parse } from 'node:path';
import type { ServerAccount } from './server-account.js';

export interface CommandResult {
  /** null: it could not be started (`output` says why) or was ended by a signal. */
  exitCode: number | null;
  output: string;
}

/**
 * Runs one of PostgreSQL's programs to its end, as `account` where one is given. Never rejects.
 *
 * It gets a session of its own, so that Ctrl-C at the terminal does not end the server before the application has
 * drained, and next to none of our environment: ours holds keys, and PG* variables would redirect it.
 */
export function runCommand(file: string, args: string[], account?: ServerAccount): Promise<CommandResult> {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(file, args, {
      // Our own working directory may be closed to the account.
      cwd: parse(file).root,
      detached: true,
      windowsHide: true,
      env: { PATH: process.env['PATH'], SystemRoot: process.env['SystemRoot'], LC_ALL: 'C', TZ: 'UTC' },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(account && { uid: account.uid, gid: account.gid }),
    });
    const collect = (chunk: Buffer) => (output += chunk.toString());
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    child.on('error', (error) => resolve({ exitCode: null, output: error.message }));
    child.on('close', (exitCode) => resolve({ exitCode, output: output.trim() }));
  });
}

import { execFileSync } from 'node:child_process';

/** Whether there is a Docker engine, and the command to work with it. At once, because suites are left out while they are read. */
export function hasDocker(): boolean {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

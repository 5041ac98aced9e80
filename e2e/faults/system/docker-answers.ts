import { execFileSync } from 'node:child_process';

/** Whether there is a Docker engine to run servers in. */
export function dockerAnswers(): boolean {
  try {
    execFileSync('docker', ['info'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

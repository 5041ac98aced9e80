import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../src/free-port.js';

const reservationOf = (port: number): string => join(tmpdir(), `latchkey-port-${port}`);

describe('freePort', () => {
  it('gives every port once', async () => {
    const ports = await Promise.all(Array.from({ length: 50 }, () => freePort()));
    expect(new Set(ports).size).toBe(50);
  });

  it('does not give a port that another process has reserved and not yet opened', async () => {
    const next = (await freePort()) + 1;
    writeFileSync(reservationOf(next), String(process.ppid), { flag: 'wx' });
    try {
      expect(await freePort()).toBeGreaterThan(next);
    } finally {
      rmSync(reservationOf(next));
    }
  });

  it('takes over the reservation of a process that is gone', async () => {
    const gone = spawnSync(process.execPath, ['-e', '']).pid;
    const next = (await freePort()) + 1;
    writeFileSync(reservationOf(next), String(gone), { flag: 'wx' });
    expect(await freePort()).toBe(next);
    expect(existsSync(reservationOf(next))).toBe(true);
  });
});

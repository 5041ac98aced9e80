import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from '@jest/globals';
import { runCommand } from './run-command.js';

/** The fifth field of /proc/<pid>/stat, and the third after the name in brackets. */
const processGroup = (stat: string) => stat.split(') ')[1]?.split(' ')[2];

describe('runCommand', () => {
  afterEach(() => {
    delete process.env['LATCHKEY_KEK'];
  });

  it('runs programs where Ctrl-C for this process does not reach them', async () => {
    const { output } = await runCommand('/bin/cat', ['/proc/self/stat']);
    expect(processGroup(output)).toMatch(/^\d+$/);
    expect(processGroup(output)).not.toBe(processGroup(readFileSync('/proc/self/stat', 'utf8')));
  });

  it('keeps our environment, and the keys in it, to ourselves', async () => {
    process.env['LATCHKEY_KEK'] = 'k1:secret';
    const { exitCode, output } = await runCommand('/usr/bin/env', []);
    expect(exitCode).toBe(0);
    expect(output).toContain('LC_ALL=C');
    expect(output).not.toContain('KEK');
  });

  it('tells a failure from a program that could not be started', async () => {
    expect(await runCommand('/bin/sh', ['-c', 'echo why >&2; exit 7'])).toEqual({ exitCode: 7, output: 'why' });
    const missing = await runCommand('/no/such/program', []);
    expect(missing.exitCode).toBeNull();
    expect(missing.output).toContain('ENOENT');
  });
});

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { lockDataDirectory } from './data-directory-lock.js';
import { DataDirectoryInUse } from './embedded-postgres-error.js';

describe('lockDataDirectory', () => {
  let parent: string;
  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'latchkey-lock-'));
  });
  afterEach(() => rmSync(parent, { recursive: true }));

  it('makes a directory that nobody else can look into', () => {
    const dataDir = join(parent, 'deep', 'data');
    lockDataDirectory(dataDir).release();
    expect(statSync(dataDir).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'lock')).mode & 0o777).toBe(0o600);
  });

  it('is held until it is released, however often others try', () => {
    const held = lockDataDirectory(parent);
    expect(() => lockDataDirectory(parent)).toThrow(DataDirectoryInUse);
    expect(() => lockDataDirectory(join(parent, '.'))).toThrow(DataDirectoryInUse);
    held.release();
    held.release();
    lockDataDirectory(parent).release();
  });
});

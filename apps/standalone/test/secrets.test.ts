import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { parseApiKey, parseKeyRing } from '@latchkey/crypto';
import { readOrCreateSecrets } from '../src/secrets.js';

describe('the secrets of a standalone', () => {
  let dataDir: string;
  beforeEach(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'latchkey-secrets-'));
  });
  afterEach(() => rm(dataDir, { recursive: true, force: true }));

  it('are made once, in the form that the services take, for their owner alone', async () => {
    const made = await readOrCreateSecrets(dataDir);
    for (const ring of [made.kek, made.webhookKey]) expect(parseKeyRing(ring).ok).toBe(true);
    expect(made.webhookKey.split(':')[1]).not.toBe(made.kek.split(':')[1]);
    expect(parseApiKey(made.apiKey)).toBeDefined();
    expect(await readOrCreateSecrets(dataDir)).toEqual(made);
    expect((await readdir(join(dataDir, 'secrets'))).sort()).toEqual(['api-key', 'kek', 'webhook-key']);
    for (const name of ['api-key', 'kek', 'webhook-key']) expect((await stat(join(dataDir, 'secrets', name))).mode & 0o777).toBe(0o600);
  });

  it('are whole although a start was killed while it wrote them', async () => {
    const made = await readOrCreateSecrets(dataDir);
    await rm(join(dataDir, 'secrets', 'api-key'));
    await writeFile(join(dataDir, 'secrets', 'api-key.new'), 'lk_loc');
    const again = await readOrCreateSecrets(dataDir);
    expect(parseApiKey(again.apiKey)).toBeDefined();
    expect(again.kek).toBe(made.kek);
    expect((await readFile(again.apiKeyFile, 'utf8')).trim()).toBe(again.apiKey);
  });
});

import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { generateApiKey, generateKeyEncryptionKey } from '@latchkey/crypto';

/** The secrets of a standalone, each in a file of its own that only its owner can read. */
export interface StandaloneSecrets {
  readonly kek: string;
  readonly webhookKey: string;
  readonly apiKey: string;
  readonly apiKeyFile: string;
}

/** Reads the secrets of a data directory, and makes those that are not there yet. */
export async function readOrCreateSecrets(dataDir: string): Promise<StandaloneSecrets> {
  const folder = join(dataDir, 'secrets');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const apiKeyFile = join(folder, 'api-key');
  return {
    kek: await readOrCreate(join(folder, 'kek'), () => `k1:${generateKeyEncryptionKey()}`),
    webhookKey: await readOrCreate(join(folder, 'webhook-key'), () => `w1:${generateKeyEncryptionKey()}`),
    apiKey: await readOrCreate(apiKeyFile, () => generateApiKey('local')),
    apiKeyFile,
  };
}

/**
 * A process that is killed while it writes must not leave half a secret, nor may a secret be lost after something was
 * wrapped with it: so it is written under another name, synced, and only then given its own.
 */
async function readOrCreate(file: string, make: () => string): Promise<string> {
  const known = await readFile(file, 'utf8').catch(ignoreMissing);
  if (known !== undefined) return known.trim();
  const draft = `${file}.new`;
  await unlink(draft).catch(ignoreMissing);
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(`${make()}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await link(draft, file);
  await unlink(draft);
  const directory = await open(join(file, '..'), 'r');
  await directory.sync().finally(() => directory.close());
  return (await readFile(file, 'utf8')).trim();
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}

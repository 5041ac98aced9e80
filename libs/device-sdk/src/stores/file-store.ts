import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DeviceKeyStore, StoredDeviceKey } from '../device-key-store.js';

type KeyInFile = StoredDeviceKey['publicJwk'] & { readonly d: string };

/**
 * Keeps the key in a file that only its owner can read, as a JWK: Node has no place that keeps key objects. Its folder is
 * made where it is missing. A file that holds something else is an error, never overwritten.
 */
export function fileStore(path: string): DeviceKeyStore {
  const load = async (): Promise<StoredDeviceKey | undefined> => {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    return text === undefined ? undefined : readKey(text, path);
  };
  return {
    keeps: 'jwk',
    load,
    saveIfNone: async ({ privateKey }) => {
      await mkdir(dirname(path), { recursive: true });
      const draft = `${path}.${crypto.randomUUID()}`;
      try {
        const file = await open(draft, 'wx', 0o600);
        await file.writeFile(JSON.stringify(privateKey));
        await file.sync();
        await file.close();
        // Whole or not at all, and only where there is none: another process may have begun at the same moment.
        await link(draft, path).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== 'EEXIST') throw error;
        });
      } finally {
        await rm(draft, { force: true });
      }
      return (await load())!;
    },
  };
}

function readKey(text: string, path: string): StoredDeviceKey {
  const { kty, crv, x, y, d } = JSON.parse(text) as Partial<KeyInFile>;
  if (kty !== 'EC' || crv !== 'P-256' || !x || !y || !d) throw new Error(`${path} holds no device key`);
  const publicJwk = { kty, crv, x, y };
  return { publicJwk, privateKey: { ...publicJwk, d } };
}

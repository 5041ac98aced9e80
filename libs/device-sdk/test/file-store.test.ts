import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createDevice } from '../src/index.js';
import { fileStore } from '../src/node.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchkey-device-'));
});
afterAll(async () => rm(folder, { recursive: true, force: true }));

const idOf = async (path: string): Promise<string> => (await createDevice({ store: fileStore(path) })).id;

it('keeps one device, that only its owner can read', async () => {
  const path = join(folder, 'made', 'device.json');
  const id = await idOf(path);
  expect(await idOf(path)).toBe(id);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect(await readdir(join(folder, 'made'))).toEqual(['device.json']);
});

it('makes one device of those that begin at once', async () => {
  const path = join(folder, 'many.json');
  const ids = await Promise.all(Array.from({ length: 8 }, () => idOf(path)));
  expect(new Set(ids).size).toBe(1);
  expect(await idOf(path)).toBe(ids[0]);
});

it.each(['', 'x', '{}', '{"kty":"EC","crv":"P-256","x":"a","y":"b"}', 'null'])('never overwrites a file that holds %j', async (content) => {
  const path = join(folder, 'spoilt.json');
  await writeFile(path, content);
  await expect(createDevice({ store: fileStore(path) })).rejects.toMatchObject({ code: 'key-unusable' });
  expect(await readFile(path, 'utf8')).toBe(content);
});

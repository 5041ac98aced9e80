import { checkProofClaims, checkProofForm, thumbprint } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { loadOrMakeKey } from './device-key.js';
import type { DeviceKeyStore, StoredDeviceKey } from './device-key-store.js';
import { makeProof } from './proof.js';
import { memoryStore } from './stores/memory-store.js';

const NOW = 1_800_000_000;
const url = 'https://play.example/v1/licenses';
const claims = { url, method: 'POST', accessToken: 'a.b.c', nonce: 'n', nowSeconds: NOW };

/** A store that keeps JWKs, as a file does. */
function jwkStore(): DeviceKeyStore {
  let stored: StoredDeviceKey | undefined;
  const copy = (key: StoredDeviceKey | undefined): StoredDeviceKey | undefined => key && (JSON.parse(JSON.stringify(key)) as StoredDeviceKey);
  return { keeps: 'jwk', load: async () => copy(stored), saveIfNone: async (key) => (stored ??= copy(key)!) };
}

describe.each([
  ['key objects', memoryStore],
  ['JWKs', jwkStore],
])('a device whose store keeps %s', (_, storeOf) => {
  it('makes proofs that the licence server takes, by the key that its id is the thumbprint of', async () => {
    const key = await loadOrMakeKey(storeOf());
    const form = checkProofForm(await makeProof(key, claims));
    if (!form.ok) throw new Error(form.reason);
    expect([form.proof.thumbprint, thumbprint(form.proof.jwk)]).toEqual([key.id, key.id]);
    expect(form.proof.claims.nonce).toBe('n');
    expect(checkProofClaims(form.proof.claims, { htm: 'POST', htu: url, accessToken: 'a.b.c', nowSeconds: NOW })).toMatchObject({ ok: true, iatSeconds: NOW });
  });

  it('is the same device when it is loaded again, and another one from another store', async () => {
    const store = storeOf();
    const first = await loadOrMakeKey(store);
    expect((await loadOrMakeKey(store)).id).toBe(first.id);
    expect((await loadOrMakeKey(storeOf())).id).not.toBe(first.id);
  });

  it('is one device when it is made twice at once', async () => {
    const store = storeOf();
    const keys = await Promise.all([loadOrMakeKey(store), loadOrMakeKey(store), loadOrMakeKey(store)]);
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    const form = checkProofForm(await makeProof(keys[2], claims));
    expect(form.ok && form.proof.thumbprint).toBe(keys[0].id);
  });
});

it('a key that a store keeps as an object cannot be taken out of it', async () => {
  const store = memoryStore();
  await loadOrMakeKey(store);
  const { privateKey } = (await store.load())!;
  expect((privateKey as CryptoKey).extractable).toBe(false);
  await expect(crypto.subtle.exportKey('jwk', privateKey as CryptoKey)).rejects.toThrow();
});

it('a store that fails is an error, and no new device', async () => {
  const saved: StoredDeviceKey[] = [];
  const broken: DeviceKeyStore = { keeps: 'jwk', load: async () => Promise.reject(new Error('disk')), saveIfNone: async (key) => (saved.push(key), key) };
  await expect(loadOrMakeKey(broken)).rejects.toMatchObject({ name: 'DeviceError', code: 'key-unusable', action: 'contact-support' });
  expect(saved).toEqual([]);
});

describe('a proof', () => {
  it('is another one each time, and has no nonce where there is none', async () => {
    const key = await loadOrMakeKey(memoryStore());
    const read = async (): Promise<Record<string, unknown>> => {
      const form = checkProofForm(await makeProof(key, { ...claims, nonce: undefined }));
      return form.ok ? form.proof.claims : {};
    };
    const [one, other] = [await read(), await read()];
    expect(one['jti']).not.toBe(other['jti']);
    expect(Object.hasOwn(one, 'jti')).toBe(true);
    expect(one['nonce']).toBeUndefined();
  });
});

import type { DeviceKeyStore, StoredDeviceKey } from '../device-key-store.js';

/** Keeps the key as long as the process or the page lives, for tests: whatever was bound to it is lost with it. */
export function memoryStore(): DeviceKeyStore {
  let stored: StoredDeviceKey | undefined;
  return {
    keeps: 'crypto-key',
    load: async () => stored,
    saveIfNone: async (key) => (stored ??= key),
  };
}

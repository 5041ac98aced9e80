import type { DeviceKeyStore, StoredDeviceKey } from '../device-key-store.js';

const OBJECTS = 'keys';
const THE_KEY = 'device';

/**
 * Keeps the key in the browser's IndexedDB, non-extractable: scripts can use it on this origin, and none can take it away.
 * `name` is the database's, for an origin that is several devices.
 */
export function indexedDbStore(name = 'latchkey-device'): DeviceKeyStore {
  return {
    keeps: 'crypto-key',
    load: () => within(name, 'readonly', async (keys) => settled(keys.get(THE_KEY) as IDBRequest<StoredDeviceKey | undefined>)),
    saveIfNone: (key) =>
      within(name, 'readwrite', async (keys) => {
        // Transactions that write come one after the other, in all tabs: the second finds the key of the first.
        const present = await settled(keys.get(THE_KEY) as IDBRequest<StoredDeviceKey | undefined>);
        if (!present) await settled(keys.add(key, THE_KEY));
        return present ?? key;
      }),
  };
}

async function within<T>(name: string, mode: IDBTransactionMode, work: (keys: IDBObjectStore) => Promise<T>): Promise<T> {
  const opening = indexedDB.open(name, 1);
  opening.onupgradeneeded = () => void opening.result.createObjectStore(OBJECTS);
  const database = await settled(opening);
  try {
    // A browser that loses power right after must still have the key that it has registered.
    const transaction = database.transaction(OBJECTS, mode, { durability: 'strict' });
    const committed = new Promise<void>((resolve, reject) => {
      transaction.oncomplete = () => resolve();
      transaction.onabort = () => reject(transaction.error ?? new Error('the transaction was aborted'));
    });
    const [result] = await Promise.all([work(transaction.objectStore(OBJECTS)), committed]);
    return result;
  } finally {
    database.close();
  }
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('the request failed'));
  });
}

import { constantTimeEqual, type KeyRing } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import { contentKeyKey, findContentKeys, insertContentKeys } from '../content-key-store.js';

/** Content keys as a merchant hands them over. */
export interface GivenContentKeys {
  readonly merchantId: string;
  /** Each key as 32 hex digits, by its kid. */
  readonly keys: Readonly<Record<string, string>>;
  readonly contentId?: string;
}

/**
 * Stores content keys, wrapped for their merchant and kid. Answers the kids that were new, or `differs` where another key
 * is stored for one: then the caller must roll back, because the others may have been stored.
 */
export async function storeContentKeys(tx: Tx, keyRing: KeyRing, { merchantId, keys, contentId }: GivenContentKeys): Promise<ReadonlySet<string> | 'differs'> {
  const given = Object.entries(keys).map(([kid, hex]) => ({ kid, key: Buffer.from(hex, 'hex') }));
  if (given.length === 0) return new Set();
  const wrapped = given.map(({ kid, key }) => ({ kid, wrappedKey: keyRing.wrapContentKey({ merchantId, kid, key }) }));
  const created = await insertContentKeys(tx, merchantId, wrapped, contentId);
  const others = given.filter(({ kid }) => !created.has(kid));
  const stored = await findContentKeys(tx, [{ merchantId, kids: others.map(({ kid }) => kid) }]);
  const differs = others.some(({ kid, key }) => {
    const plain = keyRing.unwrapContentKey({ merchantId, kid, wrapped: stored.get(contentKeyKey(merchantId, kid))! });
    if (!plain) throw new Error('a stored content key cannot be unwrapped: LATCHKEY_KEK lacks the key that wrapped it');
    return !constantTimeEqual(plain, key);
  });
  return differs ? 'differs' : created;
}

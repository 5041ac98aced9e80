import type { Tx } from '@latchkey/outbox';
import { keyOf, type Rows } from './rows.js';

/** A content key at rest. */
export interface StoredContentKey {
  readonly merchantId: string;
  readonly kid: string;
  readonly wrappedKey: string;
}

/** The key under which the map of content keys holds one. */
export function contentKeyKey(merchantId: string, kid: string): string {
  return keyOf(merchantId, kid);
}

/** The content keys of these kids, wrapped as they lie at rest. Unknown kids are left out. */
export async function findContentKeys(
  rows: Rows,
  wanted: readonly { readonly merchantId: string; readonly kids: readonly string[] }[],
): Promise<ReadonlyMap<string, string>> {
  const pairs = wanted.flatMap(({ merchantId, kids }) => kids.map((kid) => ({ merchantId, kid })));
  if (pairs.length === 0) return new Map();
  const found = await rows.rows<StoredContentKey>(
    `select merchant_id as "merchantId", kid, wrapped_key as "wrappedKey" from content_keys
     where (merchant_id, kid) in (select * from unnest($1::text[], $2::text[]))`,
    [pairs.map((pair) => pair.merchantId), pairs.map((pair) => pair.kid)],
  );
  return new Map(found.map((key) => [contentKeyKey(key.merchantId, key.kid), key.wrappedKey]));
}

/** The wrapped keys of a merchant's kids in their order, or undefined where one is unknown. */
export function wrappedKeysOf(keys: ReadonlyMap<string, string>, merchantId: string, kids: readonly string[]): string[] | undefined {
  const wrapped = kids.map((kid) => keys.get(contentKeyKey(merchantId, kid)));
  return wrapped.every((key) => key !== undefined) ? wrapped : undefined;
}

/** Stores content keys that are not there yet; returns the kids of those that were new. */
export async function insertContentKeys(
  tx: Tx,
  merchantId: string,
  keys: readonly { readonly kid: string; readonly wrappedKey: string }[],
  contentId: string | undefined,
): Promise<ReadonlySet<string>> {
  const inserted = await tx.rows<{ kid: string }>(
    `insert into content_keys (merchant_id, kid, wrapped_key, content_id)
     select $1, kid, wrapped_key, $4 from unnest($2::text[], $3::text[]) as new (kid, wrapped_key)
     order by kid
     on conflict do nothing
     returning kid`,
    [merchantId, keys.map((key) => key.kid), keys.map((key) => key.wrappedKey), contentId ?? null],
  );
  return new Set(inserted.map((row) => row.kid));
}

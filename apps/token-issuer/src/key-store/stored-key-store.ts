import type { requests } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import type { Rows } from '../rows.js';

type StoredKey = requests.StoredKey;

/** A key as it is put into the store. */
export type KeyToStore = Omit<StoredKey, 'lastUpdate'>;

interface StoredKeyRow {
  readonly kid: string;
  readonly ek: string;
  readonly kek_id: string;
  readonly info: string | null;
  readonly content_id: string | null;
  readonly expires_at: Date | null;
  readonly updated_at: Date;
}

const columns = 'kid, ek, kek_id, info, content_id, expires_at, updated_at';
/** A key whose time is over is absent, whether or not it was removed yet. */
const isThere = '(expires_at is null or expires_at > statement_timestamp())';

/** What is to be said anew of a stored key. */
export type StoredKeyChange = Partial<Omit<KeyToStore, 'kid'>>;

/**
 * Writes keys of different kids, each where none is stored; answers those that were written. In sorted order, so that
 * overlapping requests wait for each other instead of deadlocking.
 */
export async function insertStoredKeys(tx: Tx, merchantId: string, keys: readonly KeyToStore[]): Promise<StoredKey[]> {
  const written = await tx.rows<StoredKeyRow>(
    `insert into stored_keys as held (merchant_id, kid, ek, kek_id, info, content_id, expires_at)
     select $1, * from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
       as given (kid, ek, kek_id, info, content_id, expires_at)
     order by kid
     on conflict (merchant_id, kid) do update set ek = excluded.ek, kek_id = excluded.kek_id, info = excluded.info,
       content_id = excluded.content_id, expires_at = excluded.expires_at, updated_at = excluded.updated_at
     where held.expires_at <= statement_timestamp()
     returning ${columns}`,
    [
      merchantId,
      keys.map((key) => key.kid),
      keys.map((key) => key.ek),
      keys.map((key) => key.kekId),
      keys.map((key) => key.info ?? null),
      keys.map((key) => key.contentId ?? null),
      keys.map((key) => key.expiration ?? null),
    ],
  );
  return written.map(storedKeyOf);
}

/** Changes a key that is there, and answers it as it is then. What the change leaves out stays as whoever was last made it. */
export async function changeStoredKey(tx: Tx, merchantId: string, kid: string, change: StoredKeyChange): Promise<StoredKey | undefined> {
  const [changed] = await tx.rows<StoredKeyRow>(
    `update stored_keys set ek = coalesce($3, ek), kek_id = coalesce($4, kek_id), info = coalesce($5, info),
       content_id = coalesce($6, content_id), expires_at = coalesce($7::timestamptz, expires_at), updated_at = statement_timestamp()
     where merchant_id = $1 and kid = $2 and ${isThere}
     returning ${columns}`,
    [merchantId, kid, change.ek ?? null, change.kekId ?? null, change.info ?? null, change.contentId ?? null, change.expiration ?? null],
  );
  return changed && storedKeyOf(changed);
}

/** The keys of these kids that are there. */
export async function findStoredKeys(rows: Rows, merchantId: string, kids: readonly string[]): Promise<StoredKey[]> {
  const found = await rows.rows<StoredKeyRow>(
    `select ${columns} from stored_keys where merchant_id = $1 and kid = any($2::text[]) and ${isThere}`,
    [merchantId, kids],
  );
  return found.map(storedKeyOf);
}

/** The keys that were stored last, the last one first. */
export async function findLastStoredKeys(rows: Rows, merchantId: string, limit: number): Promise<StoredKey[]> {
  const found = await rows.rows<StoredKeyRow>(
    `select ${columns} from stored_keys where merchant_id = $1 and ${isThere} order by updated_at desc, kid desc limit $2`,
    [merchantId, limit],
  );
  return found.map(storedKeyOf);
}

/** Removes the keys of these kids; answers the kids of those that were there. */
export async function removeStoredKeys(tx: Tx, merchantId: string, kids: readonly string[]): Promise<string[]> {
  const gone = await tx.rows<{ kid: string }>(
    `with doomed as (
       select kid from stored_keys where merchant_id = $1 and kid = any($2::text[]) and ${isThere} order by kid for update
     ), gone as (
       delete from stored_keys using doomed where stored_keys.merchant_id = $1 and stored_keys.kid = doomed.kid returning stored_keys.kid
     ) select kid from gone`,
    [merchantId, kids],
  );
  return gone.map(({ kid }) => kid);
}

/** Forgets keys whose time is over, at most `limit` of them; resolves to how many. */
export async function forgetExpiredStoredKeys(rows: Rows, limit: number): Promise<number> {
  const [gone] = await rows.rows<{ count: number }>(
    `with old as (
       select merchant_id, kid from stored_keys where expires_at <= statement_timestamp() limit $1 for update skip locked
     ), gone as (
       delete from stored_keys using old where stored_keys.merchant_id = old.merchant_id and stored_keys.kid = old.kid returning 1
     ) select count(*)::int as count from gone`,
    [limit],
  );
  return gone!.count;
}

function storedKeyOf(row: StoredKeyRow): StoredKey {
  return {
    kid: row.kid,
    ek: row.ek,
    kekId: row.kek_id,
    info: row.info ?? undefined,
    contentId: row.content_id ?? undefined,
    expiration: row.expires_at?.toISOString(),
    lastUpdate: row.updated_at.toISOString(),
  };
}

import type { EcPublicJwk } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import { LostRace, type Rows } from './rows.js';
import type { StoredSigningKey } from './signing-key-lifecycle.js';

interface SigningKeyRow {
  readonly key_id: string;
  readonly public_jwk: EcPublicJwk;
  readonly wrapped_key: string;
  readonly state: StoredSigningKey['state'];
  readonly activated_at: Date | null;
  readonly retired_at: Date | null;
  readonly now: Date;
}

/** Every signing key, the newest first, and the database's time. */
export async function readSigningKeys(rows: Rows): Promise<{ keys: StoredSigningKey[]; now: Date }> {
  const found = await rows.rows<SigningKeyRow>(
    `select key_id, public_jwk, wrapped_key, state, activated_at, retired_at, clock_timestamp() as now
     from signing_keys order by announced_at desc`,
  );
  const keys = found.map((row) => ({
    keyId: row.key_id,
    publicJwk: row.public_jwk,
    wrappedKey: row.wrapped_key,
    state: row.state,
    activatedAt: row.activated_at ?? undefined,
    retiredAt: row.retired_at ?? undefined,
  }));
  return { keys, now: found[0]?.now ?? new Date() };
}

/** Stores an announced key; undefined where another replica has announced one. */
export async function insertAnnouncedKey(
  tx: Tx,
  key: { readonly keyId: string; readonly publicJwk: EcPublicJwk; readonly wrappedKey: string },
): Promise<{ announcedAt: Date } | undefined> {
  const [row] = await tx.rows<{ announcedAt: Date }>(
    `insert into signing_keys (key_id, public_jwk, wrapped_key, state) values ($1, $2, $3, 'announced')
     on conflict do nothing returning announced_at as "announcedAt"`,
    [key.keyId, JSON.stringify(key.publicJwk), key.wrappedKey],
  );
  return row;
}

/** A key that has made room for another. */
export interface RetiredKey {
  readonly keyId: string;
  readonly retiredAt: Date;
}

/**
 * Has an announced key take over, and answers which it retired. Undefined where another replica has done it: its key must
 * not be retired in turn.
 */
export async function activateKey(tx: Tx, keyId: string): Promise<readonly RetiredKey[] | undefined> {
  const announced = await tx.rows(`select key_id from signing_keys where key_id = $1 and state = 'announced' for update`, [keyId]);
  if (announced.length === 0) return undefined;
  const retired = await tx.rows<RetiredKey>(
    `update signing_keys set state = 'retired', retired_at = statement_timestamp() where state = 'active'
     returning key_id as "keyId", retired_at as "retiredAt"`,
  );
  const activated = await tx.rows(
    `update signing_keys set state = 'active', activated_at = statement_timestamp() where key_id = $1 and state = 'announced' returning key_id`,
    [keyId],
  );
  if (activated.length < 1) throw new LostRace('another transaction changed the key first');
  return retired;
}

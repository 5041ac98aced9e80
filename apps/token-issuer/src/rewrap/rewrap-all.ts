import type { KeyRing } from '@latchkey/crypto';
import type { DataSource } from 'typeorm';
import { Reader } from '../rows.js';
import { signingKeyPurpose } from '../signing-keys/signing-keys.js';
import { findLastExpiryByKek } from '../token-store.js';

/** What re-wrapping did, and what still stands in the way of taking an old KEK out of the configuration. */
export interface RewrapReport {
  /** Content keys that lie under the primary KEK now and did not before. */
  readonly contentKeys: number;
  readonly signingKeys: number;
  /** Keys of either kind that cannot be unwrapped: their KEK is not in the ring. They stay as they are. */
  readonly unreadable: number;
  /**
   * Old KEKs that tokens already issued still need, each with the time at which its last token expires. Tokens carry
   * their keys as they were wrapped, so such a KEK has to stay in the configuration until then.
   */
  readonly oldKeksNeeded: readonly { readonly kekId: string; readonly neededUntil: string }[];
}

const BATCH_MAX = 500;

interface WrappedRow {
  /** Where the next batch goes on from: the primary key of the row. */
  readonly first: string;
  readonly second: string;
  readonly wrapped: string;
}

/** A table of wrapped keys: how to read on in it, how to write back, and how to wrap one anew. */
interface WrappedTable {
  readonly select: string;
  readonly update: string;
  readonly rewrap: (row: WrappedRow) => string | undefined;
}

/**
 * Wraps every content key and signing key anew under the ring's primary KEK. Safe while services run, once all of them
 * have the new KEK in their configuration, and safe to repeat: a row is replaced only if it is still what was read.
 */
export async function rewrapAll(dataSource: DataSource, ring: KeyRing): Promise<RewrapReport> {
  const reader = new Reader(dataSource);
  const contentKeys = await rewrapTable(reader, ring.primaryId, {
    select: `select merchant_id as first, kid as second, wrapped_key as wrapped from content_keys
      where split_part(wrapped_key, '.', 1) <> $1 and (merchant_id, kid) > ($2, $3) order by merchant_id, kid limit $4`,
    update: `update content_keys set wrapped_key = new.fresh
      from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as new (first, second, wrapped, fresh)
      where merchant_id = new.first and kid = new.second and wrapped_key = new.wrapped`,
    rewrap: ({ first: merchantId, second: kid, wrapped }) => ring.rewrapContentKey({ merchantId, kid, wrapped }),
  });
  const signingKeys = await rewrapTable(reader, ring.primaryId, {
    select: `select key_id as first, '' as second, wrapped_key as wrapped from signing_keys
      where split_part(wrapped_key, '.', 1) <> $1 and (key_id, '') > ($2, $3) order by key_id limit $4`,
    update: `update signing_keys set wrapped_key = new.fresh
      from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as new (first, second, wrapped, fresh)
      where key_id = new.first and wrapped_key = new.wrapped`,
    rewrap: ({ first: keyId, wrapped }) => {
      const plain = ring.unwrapSecret(signingKeyPurpose(keyId), wrapped);
      return plain && ring.wrapSecret(signingKeyPurpose(keyId), plain);
    },
  });
  const needed = await findLastExpiryByKek(reader, ring.primaryId);
  return {
    contentKeys: contentKeys.rewrapped,
    signingKeys: signingKeys.rewrapped,
    unreadable: contentKeys.unreadable + signingKeys.unreadable,
    oldKeksNeeded: needed.map(({ kekId, neededUntil }) => ({ kekId, neededUntil: neededUntil.toISOString() })),
  };
}

/** Goes through a table in the order of its key, so that what cannot be read is passed once and not for ever. */
async function rewrapTable(reader: Reader, primaryId: string, table: WrappedTable): Promise<{ rewrapped: number; unreadable: number }> {
  const counts = { rewrapped: 0, unreadable: 0 };
  let last = { first: '', second: '' };
  for (;;) {
    const rows = await reader.rows<WrappedRow>(table.select, [primaryId, last.first, last.second, BATCH_MAX]);
    const fresh = rows.flatMap((row) => {
      const rewrapped = table.rewrap(row);
      return rewrapped === undefined ? [] : [{ ...row, rewrapped }];
    });
    await reader.rows(table.update, [
      fresh.map((row) => row.first),
      fresh.map((row) => row.second),
      fresh.map((row) => row.wrapped),
      fresh.map((row) => row.rewrapped),
    ]);
    counts.rewrapped += fresh.length;
    counts.unreadable += rows.length - fresh.length;
    if (rows.length < BATCH_MAX) return counts;
    last = rows.at(-1)!;
  }
}

import { type Scope, scopes } from '@latchkey/contracts';
import { Outbox, type Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** An API key as it lies in the database: everything but the key itself. */
export interface StoredApiKey {
  readonly keyId: string;
  readonly merchantId: string;
  readonly env: string;
  readonly hash: Buffer;
  readonly scopes: readonly Scope[];
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** Neither revoked nor expired, by the database's clock. */
  readonly live: boolean;
}

/** A key that is about to be stored. */
export type NewApiKey = Pick<StoredApiKey, 'keyId' | 'merchantId' | 'env' | 'hash' | 'scopes'>;

interface ApiKeyRow {
  readonly key_id: string;
  readonly merchant_id: string;
  readonly env: string;
  readonly hash: Buffer;
  readonly scopes: string[];
  readonly created_at: Date;
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
  readonly live: boolean;
}

/**
 * By the clock that goes on within a statement: a rotation that waited for another one's row must see that the key has ended
 * meanwhile, or two keys take over from one. No index on the time is wanted: keys are found by their ids.
 */
// eslint-disable-next-line no-restricted-syntax
const isLive = 'revoked_at is null and (expires_at is null or expires_at > clock_timestamp())';
const columns = `key_id, merchant_id, env, hash, scopes, created_at, expires_at, revoked_at, ${isLive} as live`;

/** Merchants and their API keys. Looked up anew for each call, so that a revoked key is refused at once on every replica. */
@Injectable()
export class ApiKeyStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** The key with this id, whatever its state. */
  async find(keyId: string): Promise<StoredApiKey | undefined> {
    const rows = await this.dataSource.query<ApiKeyRow[]>(`select ${columns} from api_keys where key_id = $1`, [keyId]);
    return rows.map(fromRow)[0];
  }

  /** Of these key ids, those that are live. */
  async liveAmong(keyIds: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.dataSource.query<{ key_id: string }[]>(`select key_id from api_keys where key_id = any($1::text[]) and ${isLive}`, [keyIds]);
    return new Set(rows.map((row) => row.key_id));
  }

  /** The keys of a merchant, oldest first. */
  async ofMerchant(merchantId: string): Promise<StoredApiKey[]> {
    const rows = await this.dataSource.query<ApiKeyRow[]>(`select ${columns} from api_keys where merchant_id = $1 order by created_at, key_id`, [merchantId]);
    return rows.map(fromRow);
  }

  /** Every merchant, by id. */
  async merchants(): Promise<{ merchantId: string; createdAt: Date }[]> {
    const rows = await this.dataSource.query<{ merchant_id: string; created_at: Date }[]>('select merchant_id, created_at from merchants order by merchant_id');
    return rows.map((row) => ({ merchantId: row.merchant_id, createdAt: row.created_at }));
  }

  /** Whether there is such a merchant. */
  async hasMerchant(merchantId: string): Promise<boolean> {
    const rows = await this.dataSource.query<unknown[]>('select 1 from merchants where merchant_id = $1', [merchantId]);
    return rows.length > 0;
  }

  /** Runs `work` in one transaction. */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    return this.outbox.transaction(work);
  }

  /** Makes a merchant; resolves to when, or to undefined where it exists. */
  async createMerchant(tx: Tx, merchantId: string): Promise<Date | undefined> {
    const rows = await tx.rows<{ created_at: Date }>('insert into merchants (merchant_id) values ($1) on conflict do nothing returning created_at', [merchantId]);
    return rows[0]?.created_at;
  }

  /** Locks a merchant's row until the transaction ends. */
  async lockMerchant(tx: Tx, merchantId: string): Promise<void> {
    await tx.rows('select 1 from merchants where merchant_id = $1 for update', [merchantId]);
  }

  /** Stores a key. */
  async insert(tx: Tx, key: NewApiKey): Promise<StoredApiKey> {
    const rows = await tx.rows<ApiKeyRow>(
      `insert into api_keys (key_id, merchant_id, env, hash, scopes) values ($1, $2, $3, $4, $5::text[]) returning ${columns}`,
      [key.keyId, key.merchantId, key.env, key.hash, key.scopes],
    );
    return fromRow(rows[0]!);
  }

  /** The key with this id, locked until the transaction ends. */
  async lock(tx: Tx, keyId: string): Promise<StoredApiKey | undefined> {
    const rows = await tx.rows<ApiKeyRow>(`select ${columns} from api_keys where key_id = $1 for update`, [keyId]);
    return rows.map(fromRow)[0];
  }

  /** Replaces what a key id stands for. */
  async replace(tx: Tx, key: NewApiKey): Promise<void> {
    await tx.rows('update api_keys set env = $2, hash = $3, scopes = $4::text[], expires_at = null, revoked_at = null where key_id = $1', [
      key.keyId,
      key.env,
      key.hash,
      key.scopes,
    ]);
  }

  /** Lets a key expire after `seconds`, unless it expires sooner anyway. */
  async expireIn(tx: Tx, keyId: string, seconds: number): Promise<StoredApiKey> {
    const rows = await tx.rows<ApiKeyRow>(
      `update api_keys set expires_at = least(expires_at, statement_timestamp() + make_interval(secs => $2)) where key_id = $1 returning ${columns}`,
      [keyId, seconds],
    );
    return fromRow(rows[0]!);
  }

  /** Revokes a key for good; again keeps the first time. Resolves to undefined where there is no such key. */
  async revoke(tx: Tx, keyId: string): Promise<StoredApiKey | undefined> {
    const rows = await tx.rows<ApiKeyRow>(`update api_keys set revoked_at = coalesce(revoked_at, statement_timestamp()) where key_id = $1 returning ${columns}`, [keyId]);
    return rows.map(fromRow)[0];
  }
}

function fromRow(row: ApiKeyRow): StoredApiKey {
  const known = new Set<string>(scopes);
  return {
    keyId: row.key_id,
    merchantId: row.merchant_id,
    env: row.env,
    hash: row.hash,
    scopes: row.scopes.filter((scope): scope is Scope => known.has(scope)),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    live: row.live,
  };
}

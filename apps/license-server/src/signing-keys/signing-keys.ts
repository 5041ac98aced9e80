import { type EcPublicJwk, publicKeyOf } from '@latchkey/crypto';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Gatherer } from '../gatherer.js';
import { isFaultOfOneRow } from '../sql-errors.js';

/** A public key as signatures are verified with it. */
export type PublicKey = ReturnType<typeof publicKeyOf>;

/** The public half of a signing key, by its id (the key's RFC 7638 thumbprint). */
export interface StoredSigningKey {
  readonly keyId: string;
  readonly publicJwk: EcPublicJwk;
}

interface SigningKeyRow {
  readonly key_id: string;
  readonly x: string;
  readonly y: string;
}

const LOOK_UP_LIMITS = { batchSizeMax: 100, inFlightMax: 1, waitingMax: 5_000, timeoutMs: 5_000, isFaultOfOne: isFaultOfOneRow };

/**
 * The keys that sign tokens. Held in memory once they were asked for, and looked up in the database where they are not:
 * a key that another replica heard of a moment ago opens at once, which no cache of unknown ids could promise. Made-up
 * ids cost one statement at a time, however many come.
 */
@Injectable()
export class SigningKeys {
  private readonly held = new Map<string, PublicKey>();
  private readonly lookUps: Gatherer<string, PublicKey | undefined>;

  constructor(private readonly dataSource: DataSource) {
    this.lookUps = new Gatherer((keyIds) => this.lookUp(keyIds), LOOK_UP_LIMITS);
  }

  /** The public key; undefined where no such key is known. Rejects where the database is needed and away. */
  async find(keyId: string): Promise<PublicKey | undefined> {
    return this.held.get(keyId) ?? (await this.lookUps.add(keyId));
  }

  /** Which of these keys the database holds, and so every replica. */
  async heldOf(keyIds: readonly string[]): Promise<string[]> {
    return (await this.select('where key_id = any($1::text[])', [keyIds])).map((key) => key.keyId);
  }

  /** Every key, in the order in which they were published. */
  async all(): Promise<StoredSigningKey[]> {
    return this.select('order by published_at, key_id', []);
  }

  private async lookUp(keyIds: readonly string[]): Promise<readonly (PublicKey | undefined)[]> {
    for (const { keyId, publicJwk } of await this.select('where key_id = any($1::text[])', [keyIds])) {
      this.held.set(keyId, publicKeyOf(publicJwk));
    }
    return keyIds.map((keyId) => this.held.get(keyId));
  }

  private async select(condition: string, parameters: readonly unknown[]): Promise<StoredSigningKey[]> {
    const rows = await this.dataSource.query<SigningKeyRow[]>(`select key_id, x, y from signing_keys ${condition}`, [...parameters]);
    return rows.map((row) => ({ keyId: row.key_id, publicJwk: { kty: 'EC', crv: 'P-256', x: row.x, y: row.y } }));
  }
}

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

/** How long a key is believed without looking: so long a replica may go on trusting one that was withdrawn. */
const HELD_MS = 30_000;

/** A key in memory, and until when it needs no look at the database. */
interface HeldKey {
  readonly publicKey: PublicKey;
  readonly heldUntilMs: number;
}

/**
 * The keys that sign tokens, without those whose time is over. Held in memory for a while once they were asked for, and
 * looked up in the database where they are not: a key that another replica heard of a moment ago opens at once, which no
 * cache of unknown ids could promise. Made-up ids cost one statement at a time, however many come.
 */
@Injectable()
export class SigningKeys {
  private readonly held = new Map<string, HeldKey>();
  private readonly lookUps: Gatherer<string, PublicKey | undefined>;

  constructor(private readonly dataSource: DataSource) {
    this.lookUps = new Gatherer((keyIds) => this.lookUp(keyIds), LOOK_UP_LIMITS);
  }

  /** The public key; undefined where no such key is known. Rejects where the database is needed and away. */
  async find(keyId: string): Promise<PublicKey | undefined> {
    const held = this.held.get(keyId);
    return held && performance.now() < held.heldUntilMs ? held.publicKey : this.lookUps.add(keyId);
  }

  /** Which of these keys the database holds, and so every replica. */
  async heldOf(keyIds: readonly string[]): Promise<string[]> {
    return (await this.select('and key_id = any($1::text[])', [keyIds])).map((key) => key.keyId);
  }

  /** Every key that is trusted, in the order in which they were published. */
  async all(): Promise<StoredSigningKey[]> {
    return this.select('order by published_at, key_id', []);
  }

  private async lookUp(keyIds: readonly string[]): Promise<readonly (PublicKey | undefined)[]> {
    const found = new Map((await this.select('and key_id = any($1::text[])', [keyIds])).map(({ keyId, publicJwk }) => [keyId, publicKeyOf(publicJwk)]));
    const heldUntilMs = performance.now() + HELD_MS;
    for (const keyId of keyIds) {
      const publicKey = found.get(keyId);
      if (publicKey) this.held.set(keyId, { publicKey, heldUntilMs });
      else this.held.delete(keyId);
    }
    return keyIds.map((keyId) => found.get(keyId));
  }

  private async select(condition: string, parameters: readonly unknown[]): Promise<StoredSigningKey[]> {
    const rows = await this.dataSource.query<SigningKeyRow[]>(
      `select key_id, x, y from signing_keys left join retired_signing_keys using (key_id)
        where (trusted_until is null or statement_timestamp() < trusted_until) ${condition}`,
      [...parameters],
    );
    return rows.map((row) => ({ keyId: row.key_id, publicJwk: { kty: 'EC', crv: 'P-256', x: row.x, y: row.y } }));
  }
}

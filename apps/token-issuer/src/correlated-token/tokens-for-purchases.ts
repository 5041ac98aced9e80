import type { TokenSigner } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { wrappedKeysOf } from '../content-key-store.js';
import type { BoundDevice, Purchase } from '../purchase.js';
import { purchaseKey } from '../purchase-store.js';
import type { MintedToken } from '../token.js';
import { appendRevoked, type IssuedToken, TokenMint } from '../token-mint.js';
import { adoptTokens, insertTokens, supersedeTokens } from '../token-store.js';
import { type NewOrder, UpstreamOrders } from '../upstream/upstream-orders.js';
import { findCorrelatedTokens, forgetCorrelatedTokens } from './correlated-token-store.js';
import { type CorrelatedToken, decideAdoption, saleKey, saleOf } from './sale.js';

/** A purchase that is to be issued. */
export interface PurchaseToIssue {
  readonly terms: Purchase;
  readonly device: BoundDevice;
  /** The act that brought it. */
  readonly correlationId?: string;
}

/** What purchases are issued with. */
export interface IssuingOptions {
  /** What signs, or the token that was obtained elsewhere for the one purchase that is issued with it. */
  readonly signer: TokenSigner | { readonly obtained: MintedToken };
  /** Content keys as they lie at rest, of every kid of the purchases. */
  readonly keys: ReadonlyMap<string, string>;
  readonly now: Date;
}

/** The token of a purchase: its own, or the one that its sale has already. */
export interface TokenOfPurchase {
  readonly issued: IssuedToken;
  /** The token whose play clock it goes on with. */
  readonly playClock?: string;
}

/** How a purchase ends that gets this token. */
export function endOf({ issued, playClock }: TokenOfPurchase): { state: 'issued'; deviceId: string; tokenId: string; playClock: string | undefined } {
  return { state: 'issued', deviceId: issued.deviceId, tokenId: issued.tokenId, playClock };
}

/** Tokens that purchases are about to get. Written after the purchases: locks are taken in this order everywhere. */
export interface PreparedTokens {
  /** Undefined where the token has to be obtained elsewhere first: then writing orders it. */
  readonly of: (purchase: Purchase) => TokenOfPurchase | undefined;
  readonly write: () => Promise<void>;
}

/** Finds a token for each purchase that is issued: the one of its sale, if there is one that works, or one of its own. */
@Injectable()
export class TokensForPurchases {
  constructor(
    private readonly mint: TokenMint,
    private readonly orders: UpstreamOrders,
  ) {}

  /**
   * Under the locks of the purchases' joins and devices, in as many statements for two hundred as for one. Of two purchases of
   * one sale the first gets the sale's token, and the other one of its own: they are two purchases.
   */
  async prepare(tx: Tx, purchases: readonly PurchaseToIssue[], { signer, keys, now }: IssuingOptions): Promise<PreparedTokens> {
    const correlated = new Map((await findCorrelatedTokens(tx, purchases.flatMap(({ terms }) => saleOf(terms) ?? []))).map((one) => [saleKey(one), one]));
    const taken: CorrelatedToken[] = [];
    const find = (terms: Purchase): CorrelatedToken | undefined => {
      const sale = saleOf(terms);
      return sale && correlated.get(saleKey(sale));
    };
    const take = (found: CorrelatedToken): void => {
      correlated.delete(saleKey(found));
      taken.push(found);
    };
    const prepared = new Map<string, TokenOfPurchase>();
    const minted: MintedToken[] = [];
    const adopted: { tokenId: string; purchaseId: string }[] = [];
    const superseded: string[] = [];
    const ordered: NewOrder[] = [];
    for (const { terms, device, correlationId } of purchases) {
      const { deviceId, evidence } = device;
      const found = find(terms);
      const adoption = found && decideAdoption(found, deviceId, now);
      const playClock = adoption?.playClock;
      // Nobody is asked in here. The sale's token stays until there is one to put in its place.
      if (adoption?.kind !== 'adopt' && !('obtained' in signer) && this.orders.take(terms, evidence)) {
        ordered.push({ ...terms, correlationId });
        continue;
      }
      if (found) take(found);
      if (adoption?.kind === 'adopt') {
        const { tokenId, expiresAt } = adoption.token;
        adopted.push({ tokenId, purchaseId: terms.purchaseId });
        prepared.set(purchaseKey(terms), { issued: { ...terms, deviceId, tokenId, expiresAt }, playClock });
        continue;
      }
      if (found?.token) superseded.push(found.tokenId);
      const wrappedKeys = wrappedKeysOf(keys, terms.merchantId, terms.kids)!;
      const token = 'obtained' in signer ? { ...signer.obtained, playClock } : this.mint.mint(signer, { ...terms, deviceId, evidence, wrappedKeys, playClock }, now);
      minted.push(token);
      prepared.set(purchaseKey(terms), { issued: token, playClock });
    }
    return {
      of: (purchase) => prepared.get(purchaseKey(purchase)),
      write: async () => {
        for (const stopped of await supersedeTokens(tx, superseded)) appendRevoked(tx, stopped, 'superseded');
        await adoptTokens(tx, adopted);
        await insertTokens(tx, minted);
        await forgetCorrelatedTokens(tx, taken);
        await this.orders.place(tx, ordered);
      },
    };
  }
}

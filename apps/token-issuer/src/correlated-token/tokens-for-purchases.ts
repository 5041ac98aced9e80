import type { TokenSigner } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { wrappedKeysOf } from '../content-key-store.js';
import type { BoundDevice, Purchase } from '../purchase.js';
import { purchaseKey } from '../purchase-store.js';
import type { MintedToken } from '../token.js';
import { appendRevoked, type IssuedToken, TokenMint } from '../token-mint.js';
import { adoptTokens, insertTokens, supersedeTokens } from '../token-store.js';
import { findCorrelatedTokens, forgetCorrelatedTokens } from './correlated-token-store.js';
import { type CorrelatedToken, decideAdoption, saleKey, saleOf } from './sale.js';

/** A purchase that is to be issued. */
export interface PurchaseToIssue {
  readonly terms: Purchase;
  readonly device: BoundDevice;
}

/** What purchases are issued with. */
export interface IssuingOptions {
  readonly signer: TokenSigner;
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

/** Tokens that purchases are about to get. Written after the purchases: locks are taken in this order everywhere. */
export interface PreparedTokens {
  readonly of: (purchase: Purchase) => TokenOfPurchase;
  readonly write: () => Promise<void>;
}

/** Finds a token for each purchase that is issued: the one of its sale, if there is one that works, or one of its own. */
@Injectable()
export class TokensForPurchases {
  constructor(private readonly mint: TokenMint) {}

  /**
   * Under the locks of the purchases' joins and devices, in as many statements for two hundred as for one. Of two purchases of
   * one sale the first gets the sale's token, and the other one of its own: they are two purchases.
   */
  async prepare(tx: Tx, purchases: readonly PurchaseToIssue[], { signer, keys, now }: IssuingOptions): Promise<PreparedTokens> {
    const correlated = new Map((await findCorrelatedTokens(tx, purchases.flatMap(({ terms }) => saleOf(terms) ?? []))).map((one) => [saleKey(one), one]));
    const taken: CorrelatedToken[] = [];
    const take = (terms: Purchase): CorrelatedToken | undefined => {
      const sale = saleOf(terms);
      const found = sale && correlated.get(saleKey(sale));
      if (!found) return undefined;
      correlated.delete(saleKey(found));
      taken.push(found);
      return found;
    };
    const prepared = new Map<string, TokenOfPurchase>();
    const minted: MintedToken[] = [];
    const adopted: { tokenId: string; purchaseId: string }[] = [];
    const superseded: string[] = [];
    for (const { terms, device } of purchases) {
      const { deviceId, evidence } = device;
      const found = take(terms);
      const adoption = found && decideAdoption(found, deviceId, now);
      const playClock = adoption?.playClock;
      if (adoption?.kind === 'adopt') {
        const { tokenId, expiresAt } = adoption.token;
        adopted.push({ tokenId, purchaseId: terms.purchaseId });
        prepared.set(purchaseKey(terms), { issued: { ...terms, deviceId, tokenId, expiresAt }, playClock });
        continue;
      }
      if (found?.token) superseded.push(found.tokenId);
      const wrappedKeys = wrappedKeysOf(keys, terms.merchantId, terms.kids)!;
      const token = this.mint.mint(signer, { ...terms, deviceId, evidence, wrappedKeys, playClock }, now);
      minted.push(token);
      prepared.set(purchaseKey(terms), { issued: token, playClock });
    }
    return {
      of: (purchase) => prepared.get(purchaseKey(purchase))!,
      write: async () => {
        for (const stopped of await supersedeTokens(tx, superseded)) appendRevoked(tx, stopped, 'superseded');
        await adoptTokens(tx, adopted);
        await insertTokens(tx, minted);
        await forgetCorrelatedTokens(tx, taken);
      },
    };
  }
}

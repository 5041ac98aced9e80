import type { RequestInput, requests } from '@latchkey/contracts';
import { Injectable } from '@nestjs/common';
import { CookieAuthorities } from '../cookie-authorities.js';
import { isOver } from '../purchase.js';
import { GetPurchaseToken } from '../purchase-token/get-purchase-token.js';
import { keyOf, Reader } from '../rows.js';
import { TokenMint } from '../token-mint.js';
import { findCorrelatedOfContent } from './correlated-token-store.js';
import type { CorrelatedTokenResult } from './issue-correlated-token.js';
import { findNewestOfContent } from './purchase-of-sale-store.js';
import { isPurchaseOver } from './sale.js';

/** Shows the token of what was bought of a content: a purchase's as its own request would, or one without a purchase while it lives. */
@Injectable()
export class GetContentToken {
  constructor(
    private readonly reader: Reader,
    private readonly authorities: CookieAuthorities,
    private readonly purchaseTokens: GetPurchaseToken,
    private readonly mint: TokenMint,
  ) {}

  /** The registry is asked whenever there is a token to give, as for a purchase's. */
  async get({ merchantId, cookie, contentId }: RequestInput<typeof requests.getContentToken>): Promise<CorrelatedTokenResult> {
    const ref = { merchantId, cookie };
    const purchase = await findNewestOfContent(this.reader, ref, contentId);
    const now = new Date();
    const askPurchase = () => this.purchaseTokens.get({ merchantId, purchaseId: purchase!.purchaseId });
    // Where a rental is over, the token of the next one is the answer, if it came without a purchase.
    if (purchase && (purchase.state !== 'issued' || !isPurchaseOver(purchase, now))) return askPurchase();
    const correlated = await findCorrelatedOfContent(this.reader, ref, contentId);
    const token = correlated.find(({ token, rights }) => token && token.expiresAt > now && !isOver(rights, now))?.token;
    if (!token) return purchase ? askPurchase() : { kind: 'refuse', code: correlated.some(({ revoked }) => revoked) ? 'device-revoked' : 'purchase-unknown' };
    const { revokedDevices } = await this.authorities.learnBindings([ref]);
    if (revokedDevices.has(keyOf(merchantId, token.deviceId))) return { kind: 'refuse', code: 'device-revoked' };
    return { kind: 'token', token: this.mint.view(token) };
  }
}

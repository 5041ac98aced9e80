import type { ContentTokenView } from '@latchkey/contracts';
import type { TokenSigner } from '@latchkey/crypto';
import { Outbox, type Tx } from '@latchkey/outbox';
import { Logger } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { findContentKeys, wrappedKeysOf } from '../content-key-store.js';
import { CookieAuthorities, type CookieKnowledge } from '../cookie-authorities.js';
import { type HeldCookies, holdCookies } from '../held-cookies.js';
import { IssuerMetrics } from '../issuer-metrics.js';
import type { Purchase } from '../purchase.js';
import { findPurchases, purchaseKey, type PurchaseRef, setToken } from '../purchase-store.js';
import { SettleWaiting } from '../register-device/settle-waiting.js';
import { keyOf, LostRace, Reader } from '../rows.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { type CurrentToken, decideTokenAnswer, type MintedToken, type TokenAnswer } from '../token.js';
import { appendIssued, appendRevoked, TokenMint } from '../token-mint.js';
import { findCurrentToken, insertTokens, supersedeTokens } from '../token-store.js';
import { RenewUpstream } from '../upstream/renew-upstream.js';

type Refusal = Extract<TokenAnswer, { readonly kind: 'refuse' }>;

/** The token of a purchase, or why there is none. */
export type PurchaseTokenResult = { readonly kind: 'token'; readonly token: ContentTokenView } | Refusal;

/** What a token is given or renewed by. */
interface Judged {
  readonly terms: Purchase;
  readonly knowledge: CookieKnowledge;
}

type Standing = Refusal | (Exclude<TokenAnswer, Refusal> & Judged);

/** Gives out the live token of a purchase, and a new one in its place when it is soon over. */
@Injectable()
export class GetPurchaseToken {
  constructor(
    private readonly reader: Reader,
    private readonly outbox: Outbox,
    private readonly authorities: CookieAuthorities,
    private readonly waiting: SettleWaiting,
    private readonly signingKeys: SigningKeys,
    private readonly mint: TokenMint,
    private readonly elsewhere: RenewUpstream,
    private readonly metrics: IssuerMetrics,
    private readonly logger: Logger,
  ) {}

  /**
   * The registry is asked whenever there is a token to give: a merchant whose revocation was answered must not be handed a
   * token of that device because the event is still under way. While the registry does not answer, this is `unavailable`.
   */
  async get(ref: PurchaseRef): Promise<PurchaseTokenResult> {
    const standing = await this.judge(ref);
    if (standing.kind !== 'renew') return this.resultOf(standing);
    const obtained = await this.elsewhere.obtain(standing.terms, standing.token);
    if (!obtained) return this.renew(ref, standing, undefined);
    // A provider takes its time, and whether it gave a token or not: a refund or a revocation may have been answered meanwhile.
    const now = await this.judge(ref);
    return now.kind === 'renew' && obtained !== 'unchanged' ? this.renew(ref, now, obtained) : this.resultOf(now);
  }

  /** What stands of a purchase, and what the registry says of its device. */
  private async judge(ref: PurchaseRef): Promise<Standing> {
    const purchase = await this.waiting.findSettled(ref);
    const answer = decideTokenAnswer(purchase, await findCurrentToken(this.reader, ref), new Date());
    if (answer.kind === 'refuse') return answer;
    const terms = purchase!.terms!;
    const knowledge = await this.authorities.learnBindings([terms]);
    if (knowledge.revokedDevices.has(keyOf(ref.merchantId, answer.token.deviceId))) return { kind: 'refuse', code: 'device-revoked' };
    return { ...answer, terms, knowledge };
  }

  private resultOf(standing: Standing): PurchaseTokenResult {
    return standing.kind === 'refuse' ? standing : { kind: 'token', token: this.mint.view(standing.token) };
  }

  /** Judged anew under the lock of the join, because a refund, a revocation or another renewal may have come meanwhile. */
  private async renew(ref: PurchaseRef, { terms, knowledge }: Judged, obtained: MintedToken | undefined): Promise<PurchaseTokenResult> {
    const signer = await this.signingKeys.signer();
    const { answer, renewed } = await this.outbox.transaction(async (tx) => {
      const held = await holdCookies(tx, knowledge);
      const purchase = (await findPurchases(tx, [ref])).get(purchaseKey(ref));
      const current = await findCurrentToken(tx, ref);
      const answer = decideTokenAnswer(purchase, current, held.now);
      const options = { terms, playClock: purchase?.playClock, held, signer, obtained };
      return { answer, renewed: answer.kind === 'renew' ? await this.replace(tx, answer.token, options) : undefined };
    });
    if (answer.kind === 'refuse') return answer;
    if (renewed) {
      this.metrics.tokensIssued('renewal', 1);
      this.logger.info('a token was renewed', { ...ref, tokenId: renewed.tokenId, supersededTokenId: answer.token.tokenId });
    }
    return { kind: 'token', token: this.mint.view(renewed ?? answer.token) };
  }

  private async replace(
    tx: Tx,
    current: CurrentToken,
    options: { readonly terms: Purchase; readonly playClock?: string; readonly held: HeldCookies; readonly signer: TokenSigner; readonly obtained?: MintedToken },
  ): Promise<MintedToken> {
    const { terms, playClock, held, signer, obtained } = options;
    const { deviceId, evidence } = held.of(terms).device!;
    const wrappedKeys = wrappedKeysOf(await findContentKeys(tx, [terms]), terms.merchantId, terms.kids)!;
    const token = obtained ?? this.mint.mint(signer, { ...terms, deviceId, evidence, wrappedKeys, playClock }, held.now);
    const superseded = await supersedeTokens(tx, [current.tokenId]);
    if (superseded.length < 1) throw new LostRace('the token stopped working while it was renewed');
    for (const stopped of superseded) appendRevoked(tx, stopped, 'superseded');
    await insertTokens(tx, [token]);
    await setToken(tx, terms, token.tokenId);
    appendIssued(tx, token);
    return token;
  }
}

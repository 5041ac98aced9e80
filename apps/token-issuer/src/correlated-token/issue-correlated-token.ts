import { type ContentTokenView, type ErrorCode, normaliseDeviceId, type RequestInput, type requests } from '@latchkey/contracts';
import type { TokenSigner } from '@latchkey/crypto';
import { Outbox, type Tx } from '@latchkey/outbox';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import { TOKEN_TTL_SECONDS_MAX, type TokenIssuerConfiguration } from '../config.js';
import { findContentKeys, wrappedKeysOf } from '../content-key-store.js';
import { CookieAuthorities, type CookieKnowledge } from '../cookie-authorities.js';
import { IssuerMetrics } from '../issuer-metrics.js';
import type { PurchaseRef } from '../purchase-store.js';
import { GetPurchaseToken } from '../purchase-token/get-purchase-token.js';
import { storeContentKeys } from '../put-content-key/store-content-keys.js';
import { type Settlement, SettleWaiting } from '../register-device/settle-waiting.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { appendIssued, appendRevoked, TokenMint } from '../token-mint.js';
import { insertTokens, supersedeTokens } from '../token-store.js';
import { type Minting, UpstreamTokens } from '../upstream/upstream-tokens.js';
import { findCorrelatedTokens, rememberCorrelatedToken } from './correlated-token-store.js';
import { findNewestOfSale } from './purchase-of-sale-store.js';
import { type CorrelatedToken, decideSale, type Sale, type SaleDecision } from './sale.js';

type CorrelatedInput = RequestInput<typeof requests.issueCorrelatedToken>;

/** The token of a sale, or the code with which it is refused. */
export type CorrelatedTokenResult = { readonly kind: 'token'; readonly token: ContentTokenView } | { readonly kind: 'refuse'; readonly code: ErrorCode };

/** A refusal on its way out of the transaction, which it rolls back: what is refused changes nothing. */
class Refused extends Error {
  constructor(readonly code: ErrorCode) {
    super(code);
  }
}

/** What the transaction did: the token that stands now, or the purchase whose token it is. */
type Outcome = Pick<Settlement, 'ends'> &
  ({ readonly token: ContentTokenView; readonly cause?: 'request' | 'renewal' } | { readonly purchase: PurchaseRef });

/** Issues the one token of a sale, of which a purchase may come as well. */
@Injectable()
export class IssueCorrelatedToken {
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly outbox: Outbox,
    private readonly authorities: CookieAuthorities,
    private readonly signingKeys: SigningKeys,
    private readonly waiting: SettleWaiting,
    private readonly purchaseTokens: GetPurchaseToken,
    private readonly mint: TokenMint,
    private readonly upstreamTokens: UpstreamTokens,
    private readonly metrics: IssuerMetrics,
  ) {}

  /**
   * A token that stands is answered as it is: other rights, another content id or another lifetime in a call that is repeated
   * change nothing. A renewal keeps what was sold and its play clock, and lives as long as the call that brought it asks.
   */
  async issue(request: CorrelatedInput): Promise<CorrelatedTokenResult> {
    const input = { ...request, deviceId: normaliseDeviceId(request.deviceId) };
    const signer = await this.signingKeys.signer();
    const here: Minting = (terms, now, ttlSeconds) => this.mint.mint(signer, terms, now, ttlSeconds);
    try {
      const run = async (minting: Minting): Promise<Outcome> => {
        const knowledge = await this.authorities.learnNow(input);
        return this.outbox.transaction((tx) => this.issueIn(tx, input, { knowledge, signer, minting }));
      };
      const outcome = await this.upstreamTokens.issue(input.merchantId, here, run);
      this.waiting.report(outcome.ends);
      if ('purchase' in outcome) return this.purchaseTokens.get(outcome.purchase);
      if (outcome.cause) this.metrics.tokensIssued(outcome.cause, 1);
      return { kind: 'token', token: outcome.token };
    } catch (error) {
      if (error instanceof Refused) return { kind: 'refuse', code: error.code };
      throw error;
    }
  }

  /** Locks the join, and settles what waits for its device before it looks whether a purchase of the sale is issued. */
  private async issueIn(
    tx: Tx,
    input: CorrelatedInput,
    { knowledge, signer, minting }: { readonly knowledge: CookieKnowledge; readonly signer: TokenSigner; readonly minting: Minting },
  ): Promise<Outcome> {
    const { merchantId, cookie, kid, key, contentId } = input;
    const { held, ends } = await this.waiting.settle(tx, knowledge, signer);
    const stored = await storeContentKeys(tx, this.configuration.keyRing, { merchantId, keys: { [kid]: key }, contentId });
    if (stored === 'differs') throw new Refused('content-key-differs');
    const sale: Sale = { merchantId, cookie, kid, rightsType: input.rights.type };
    const [correlated] = await findCorrelatedTokens(tx, [sale]);
    const decision = decideSale(input, { cookie: held.of(input), purchase: await findNewestOfSale(tx, sale), correlated, now: held.now });
    switch (decision.kind) {
      case 'refuse':
        throw new Refused(decision.code);
      case 'ask-purchase':
        return { ends, purchase: { merchantId, purchaseId: decision.purchaseId } };
      case 'answer':
        return { ends, token: this.mint.view(decision.token) };
      case 'issue': {
        const token = await this.replace(tx, { sale, correlated, decision, minting, now: held.now, ttlSeconds: input.ttlSeconds });
        return { ends, token, cause: decision.playClock === undefined ? 'request' : 'renewal' };
      }
    }
  }

  private async replace(
    tx: Tx,
    options: {
      readonly sale: Sale;
      readonly correlated: CorrelatedToken | undefined;
      readonly decision: Extract<SaleDecision, { readonly kind: 'issue' }>;
      readonly minting: Minting;
      readonly now: Date;
      readonly ttlSeconds: number;
    },
  ): Promise<ContentTokenView> {
    const { sale, correlated, decision, minting, now, ttlSeconds } = options;
    const { device, contentId, rights, playClock } = decision;
    const { merchantId, cookie, kid } = sale;
    const kids = [kid];
    const wrappedKeys = wrappedKeysOf(await findContentKeys(tx, [{ merchantId, kids }]), merchantId, kids)!;
    const terms = { merchantId, cookie, deviceId: device.deviceId, evidence: device.evidence, contentId, kids, wrappedKeys, rights };
    const token = minting({ ...terms, playClock: rights.type === 'rental' ? playClock : undefined }, now, Math.min(ttlSeconds, TOKEN_TTL_SECONDS_MAX));
    for (const stopped of await supersedeTokens(tx, correlated ? [correlated.tokenId] : [])) appendRevoked(tx, stopped, 'superseded');
    await insertTokens(tx, [token]);
    const { tokenId } = token;
    await rememberCorrelatedToken(tx, { ...sale, tokenId, contentId, rights, playClock: playClock ?? tokenId }, correlated?.tokenId);
    appendIssued(tx, token);
    return this.mint.view(token);
  }
}

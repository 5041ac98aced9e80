import { type ContentTokenView, normaliseDeviceId, type RequestInput, type requests } from '@latchkey/contracts';
import { Outbox, type Tx } from '@latchkey/outbox';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import { TOKEN_TTL_SECONDS_MAX, type TokenIssuerConfiguration } from '../config.js';
import { findContentKeys, wrappedKeysOf } from '../content-key-store.js';
import { CookieAuthorities, type CookieKnowledge } from '../cookie-authorities.js';
import { holdCookies } from '../held-cookies.js';
import { IssuerMetrics } from '../issuer-metrics.js';
import { storeContentKeys } from '../put-content-key/store-content-keys.js';
import { LostRace } from '../rows.js';
import { SigningKeys } from '../signing-keys/signing-keys.js';
import { appendIssued, TokenMint } from '../token-mint.js';
import { findTokenRequest, rememberTokenRequest } from '../token-request-store.js';
import { findToken, insertTokens } from '../token-store.js';
import { type Minting, UpstreamTokens } from '../upstream/upstream-tokens.js';
import { comparableRequest, decideDirectToken, type DirectTokenRefusal } from './direct-token.js';

export type IssueTokenInput = RequestInput<typeof requests.issueToken>;

/** A token, or the code with which it is refused. */
export type IssueTokenResult =
  | { readonly kind: 'token'; readonly token: ContentTokenView; readonly repeated: boolean }
  | { readonly kind: 'refuse'; readonly code: DirectTokenRefusal };

/** A token as it is answered, and whether it was before. */
interface Issued {
  readonly token: ContentTokenView;
  readonly repeated: boolean;
}

/** A refusal on its way out of the transaction, which it rolls back: what is refused changes nothing. */
class Refused extends Error {
  constructor(readonly code: DirectTokenRefusal) {
    super(code);
  }
}

/** Issues a content token that no purchase stands behind. */
@Injectable()
export class IssueToken {
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly outbox: Outbox,
    private readonly authorities: CookieAuthorities,
    private readonly signingKeys: SigningKeys,
    private readonly mint: TokenMint,
    private readonly upstreamTokens: UpstreamTokens,
    private readonly metrics: IssuerMetrics,
  ) {}

  async issue(request: IssueTokenInput): Promise<IssueTokenResult> {
    const input = { ...request, deviceId: request.deviceId === undefined ? undefined : normaliseDeviceId(request.deviceId) };
    const signer = await this.signingKeys.signer();
    const here: Minting = (terms, now, ttlSeconds) => this.mint.mint(signer, terms, now, ttlSeconds);
    try {
      const run = async (minting: Minting): Promise<Issued> => {
        const knowledge = await this.authorities.learnNow(input);
        return this.outbox.transaction((tx) => this.issueIn(tx, input, knowledge, minting));
      };
      const result = await this.upstreamTokens.issue(input.merchantId, here, run);
      if (!result.repeated) this.metrics.tokensIssued('request', 1);
      return { kind: 'token', ...result };
    } catch (error) {
      if (error instanceof Refused) return { kind: 'refuse', code: error.code };
      throw error;
    }
  }

  private async issueIn(
    tx: Tx,
    input: IssueTokenInput,
    knowledge: CookieKnowledge,
    minting: Minting,
  ): Promise<Issued> {
    const { merchantId, kids, idempotencyKey } = input;
    const held = await holdCookies(tx, knowledge, this.configuration.refusedConfidences);
    const stored = await storeContentKeys(tx, this.configuration.keyRing, { merchantId, keys: input.keys ?? {}, contentId: input.contentId });
    if (stored === 'differs') throw new Refused('content-key-differs');
    const request = comparableRequest(input);
    const earlier = idempotencyKey === undefined ? undefined : await findTokenRequest(tx, { merchantId, idempotencyKey });
    if (earlier && earlier.request !== request) throw new Refused('idempotency-key-differs');
    if (earlier) return { token: this.mint.view((await findToken(tx, merchantId, earlier.tokenId))!), repeated: true };

    const wrappedKeys = wrappedKeysOf(await findContentKeys(tx, [input]), merchantId, kids);
    const decision = decideDirectToken(input, held.of(input), wrappedKeys !== undefined);
    if (decision.kind === 'refuse') throw new Refused(decision.code);
    const { deviceId, evidence } = decision.device;
    const { cookie, contentId, rights } = input;
    const ttlSeconds = Math.min(input.ttlSeconds ?? this.configuration.contentTokenTtlSeconds, TOKEN_TTL_SECONDS_MAX);
    const terms = { merchantId, cookie, deviceId, evidence, contentId, kids, wrappedKeys: wrappedKeys!, rights };
    const token = minting(terms, held.now, ttlSeconds);
    await insertTokens(tx, [token]);
    if (idempotencyKey !== undefined && !(await rememberTokenRequest(tx, { merchantId, idempotencyKey, request }, token.tokenId))) {
      throw new LostRace('another request with this idempotency key was answered first');
    }
    appendIssued(tx, token);
    return { token: this.mint.view(token), repeated: false };
  }
}

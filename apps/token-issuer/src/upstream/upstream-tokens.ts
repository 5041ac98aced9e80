import { newId } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { TokenIssuerConfiguration } from '../config.js';
import type { MintedToken, TokenTerms } from '../token.js';
import type { UpstreamAccount } from './upstream-account.js';
import type { Refused, Unavailable } from './upstream-answer.js';
import { problemOfUpstream } from './upstream-problem.js';
import { tokenForm, upstreamExpiry } from './upstream-request.js';

/** Makes the token that a request was judged worthy of. */
export type Minting = (terms: TokenTerms, now: Date, ttlSeconds: number) => MintedToken;

/** What a rehearsal came to: an answer that needs no token, or what makes the one that was obtained. */
export type Rehearsal<Answer> = { readonly kind: 'answered'; readonly answer: Answer } | { readonly kind: 'obtained'; readonly minting: Minting };

/** What is to be asked for, on its way out of the transaction that found it out, which it rolls back. */
class Wanted extends Error {
  constructor(
    readonly terms: TokenTerms,
    readonly ttlSeconds: number,
  ) {
    super('a token is to be obtained');
  }
}

/** How often a provider is asked for somebody who waits. */
const ATTEMPTS = 2;

/** Obtains content tokens from a merchant's account elsewhere. One that is obtained is nothing before it is stored. */
@Injectable()
export class UpstreamTokens {
  constructor(@Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration) {}

  /**
   * Obtains the token that a transaction is about to issue: `judge` runs it with a minting that ends it without a trace, the
   * provider is asked outside of any, and then the caller runs it for good. What was obtained is thrown away if anything
   * speaks against it by then; neither the device of a cookie nor the key of a kid ever becomes another one meanwhile.
   *
   * Throws what a caller is told where the provider gives none.
   */
  async rehearse<Answer>(account: UpstreamAccount, judge: (minting: Minting) => Promise<Answer>): Promise<Rehearsal<Answer>> {
    try {
      const answer = await judge((terms, _now, ttlSeconds) => {
        throw new Wanted(terms, ttlSeconds);
      });
      return { kind: 'answered', answer };
    } catch (error) {
      if (!(error instanceof Wanted)) throw error;
      const obtained = await this.obtain(account, error.terms, { ttlSeconds: error.ttlSeconds, attempts: ATTEMPTS });
      if (obtained.kind !== 'token') throw problemOfUpstream(obtained);
      return { kind: 'obtained', minting: () => obtained.token };
    }
  }

  /** Asks for a token of these terms, which have one kid. Never called inside a transaction: it takes as long as the network takes. */
  async obtain(
    account: UpstreamAccount,
    terms: TokenTerms,
    { ttlSeconds = this.configuration.contentTokenTtlSeconds, attempts }: { readonly ttlSeconds?: number; readonly attempts: number },
  ): Promise<{ readonly kind: 'token'; readonly token: MintedToken } | Refused | Unavailable> {
    const { merchantId, cookie, deviceId, rights, kids: [kid], wrappedKeys: [wrapped] } = terms;
    const key = this.configuration.keyRing.unwrapContentKey({ merchantId, kid: kid!, wrapped: wrapped! });
    if (!key) throw new Error('a stored content key cannot be unwrapped: LATCHKEY_KEK lacks the key that wrapped it');
    const now = new Date();
    const expiresAt = upstreamExpiry(rights, ttlSeconds, now);
    const form = tokenForm(account.provider, { cookie, deviceId, kid: kid!, contentKey: key.toString('hex'), rights }, { now, expiresAt });
    const answer = await account.token(form, attempts);
    if (answer.kind !== 'token') return answer;
    const issuedAt = new Date(Math.floor(now.getTime() / 1000) * 1000);
    return { kind: 'token', token: { ...terms, tokenId: newId('tok'), token: answer.token, licenseUrl: answer.licenseUrl, kekIds: [], issuedAt, expiresAt } };
  }
}

import { Problem } from '@latchkey/contracts';
import { newId } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { TokenIssuerConfiguration } from '../config.js';
import type { MintedToken, TokenTerms } from '../token.js';
import type { UpstreamAccount } from './upstream-account.js';
import type { Refused, Unavailable } from './upstream-answer.js';
import { problemOfUpstream } from './upstream-problem.js';
import { fitsUpstream, tokenForm, upstreamExpiry } from './upstream-request.js';
import { Upstreams } from './upstreams.js';

/** Makes the token that a request was judged worthy of. */
export type Minting = (terms: TokenTerms, now: Date, ttlSeconds: number) => MintedToken;

/** What is to be asked for, on its way out of the transaction that found it out, which it rolls back. */
class Wanted extends Error {
  constructor(
    readonly account: UpstreamAccount,
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
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly upstreams: Upstreams,
  ) {}

  /**
   * Runs a transaction that issues a token to somebody who waits: signed `here`, or obtained first. To find out whether and what
   * to obtain, the transaction is rehearsed with a minting that ends it without a trace; the provider is asked outside of any,
   * and then it runs for good. What was obtained is thrown away if anything speaks against it by then, so that `run` asks the
   * registry each time; neither the device of a cookie nor the key of a kid ever becomes another one meanwhile.
   *
   * Throws what a caller is told where the provider gives no such token.
   */
  async issue<Answer>(merchantId: string, here: Minting, run: (minting: Minting) => Promise<Answer>): Promise<Answer> {
    if (!this.upstreams.of(merchantId)) return run(here);
    try {
      return await run((terms, now, ttlSeconds) => {
        const account = this.upstreams.forDevice(merchantId, terms.evidence);
        if (!account) return here(terms, now, ttlSeconds);
        if (!fitsUpstream(terms, now)) throw new Problem('unsupported-upstream');
        throw new Wanted(account, terms, ttlSeconds);
      });
    } catch (error) {
      if (!(error instanceof Wanted)) throw error;
      const obtained = await this.obtain(error.account, error.terms, { ttlSeconds: error.ttlSeconds, attempts: ATTEMPTS });
      if (obtained.kind !== 'token') throw problemOfUpstream(obtained);
      return run(() => obtained.token);
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

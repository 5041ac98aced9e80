import { newId } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { TokenIssuerConfiguration } from '../config.js';
import type { MintedToken, TokenTerms } from '../token.js';
import type { UpstreamAccount } from './upstream-account.js';
import type { Refused, Unavailable } from './upstream-answer.js';
import { tokenForm, upstreamExpiry } from './upstream-request.js';

/** Obtains content tokens from a merchant's account elsewhere. One that is obtained is nothing before it is stored. */
@Injectable()
export class UpstreamTokens {
  constructor(@Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration) {}

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

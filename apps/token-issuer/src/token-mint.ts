import { type ContentTokenView, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { generateSigningKey, newId, type TokenParties, type TokenSigner } from '@latchkey/crypto';
import type { Tx } from '@latchkey/outbox';
import { CONFIGURATION, ConfigurationError } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { TokenIssuerConfiguration } from './config.js';
import { type CurrentToken, longestTokenFits, mintContentToken, type MintedToken, type TokenTerms } from './token.js';
import type { StoppedToken } from './token-store.js';

/** Signs content tokens by this deployment's configuration. */
@Injectable()
export class TokenMint {
  readonly parties: TokenParties;

  constructor(@Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration) {
    this.parties = { iss: configuration.tokenIssuer, aud: configuration.licenseUrl };
    if (!longestTokenFits(generateSigningKey(), this.parties, configuration.keyRing.primaryId)) {
      throw new ConfigurationError([
        'LATCHKEY_LICENSE_URL, LATCHKEY_TOKEN_ISSUER and the id of the first LATCHKEY_KEK are too long together: 32 keys would not fit a token',
      ]);
    }
  }

  /** Signs one token. It is nothing before it is stored. */
  mint(signer: TokenSigner, terms: TokenTerms, now: Date, ttlSeconds: number = this.configuration.contentTokenTtlSeconds): MintedToken {
    return mintContentToken(signer, this.parties, terms, { tokenId: newId('tok'), now, ttlSeconds });
  }

  /** A token as its answer shows it. */
  view({ token, tokenId, deviceId, licenseUrl, expiresAt }: Omit<CurrentToken, 'issuedAt'>): ContentTokenView {
    return { token, tokenId, deviceId, licenseUrl: licenseUrl ?? this.configuration.licenseUrl, expiresAt: expiresAt.toISOString() };
  }
}

/** What is told of a token that was issued. */
export type IssuedToken = Pick<MintedToken, 'merchantId' | 'tokenId' | 'purchaseId' | 'cookie' | 'deviceId' | 'contentId' | 'kids' | 'expiresAt'>;

/** Says that a token was issued. Of one that its purchase found issued already it is said again, with the purchase. */
export function appendIssued(tx: Tx, token: IssuedToken, correlationId?: string): void {
  const { merchantId, tokenId, purchaseId, cookie, deviceId, contentId, kids } = token;
  const expiresAt = token.expiresAt.toISOString();
  tx.append(TokenIssued, { merchantId, tokenId, purchaseId, cookie, deviceId, contentId, kids: [...kids], expiresAt }, correlationId);
}

/** Says that a token stopped working before its time; of one that had expired anyway there is nothing to say. */
export function appendRevoked(
  tx: Tx,
  stopped: StoppedToken,
  reason: 'refunded' | 'superseded' | 'device-revoked',
  correlationId?: string,
): void {
  if (stopped.expiresAt <= stopped.stoppedAt) return;
  const { merchantId, tokenId, purchaseId } = stopped;
  const data = { merchantId, tokenId, purchaseId: purchaseId ?? undefined, reason };
  tx.append(TokenRevoked, { ...data, revokedAt: stopped.stoppedAt.toISOString(), expiresAt: stopped.expiresAt.toISOString() }, correlationId);
}

import { scopes } from '@latchkey/contracts';
import { apiKeyMatches, hashApiKeySecret, parseApiKey } from '@latchkey/crypto';
import { CONFIGURATION, Logger } from '@latchkey/service-defaults';
import { Inject, Injectable, type OnModuleInit } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { ApiKeyStore, type NewApiKey, type StoredApiKey } from './api-key-store.js';

/**
 * What becomes of the configured key: it is `made`, is there as configured (`kept`), takes the place of another secret
 * under the same id (`replaced`), was revoked or rotated away (`ended`), or names a key `of-another-merchant`.
 */
export type BootstrapDecision = 'made' | 'kept' | 'replaced' | 'ended' | 'of-another-merchant';

/** Decides by what lies in the database under the configured key's id. */
export function decideBootstrap(fullKey: string, merchantId: string, present: StoredApiKey | undefined): BootstrapDecision {
  if (!present) return 'made';
  if (present.merchantId !== merchantId) return 'of-another-merchant';
  if (!apiKeyMatches(fullKey, present.hash)) return 'replaced';
  // A restart must not bring back to life what an administrator has ended: the key may have leaked.
  if (present.revokedAt !== null || present.expiresAt !== null) return 'ended';
  return 'kept';
}

/**
 * Sees to it that the configured first key exists before the port opens. A key with another id that was configured
 * before stays: during a rolling restart both are in use, and `keys revoke` ends the old one.
 */
@Injectable()
export class BootstrapKey implements OnModuleInit {
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: GatewayConfiguration,
    private readonly store: ApiKeyStore,
    private readonly logger: Logger,
  ) {}

  /** Makes or refreshes merchant and key. Throws where the key belongs to another merchant, which stops the start. */
  async onModuleInit(): Promise<void> {
    const { bootstrapApiKey: fullKey, bootstrapMerchantId: merchantId } = this.configuration;
    if (fullKey === undefined) return;
    const { keyId, env } = parseApiKey(fullKey)!;
    const key: NewApiKey = { keyId, env, merchantId, hash: hashApiKeySecret(fullKey), scopes };
    const decision = await this.store.transaction(async (tx) => {
      // Replicas that start together wait here for each other: the merchant's row is what they meet on.
      await this.store.createMerchant(tx, merchantId);
      await this.store.lockMerchant(tx, merchantId);
      const decided = decideBootstrap(fullKey, merchantId, await this.store.lock(tx, keyId));
      if (decided === 'made') await this.store.insert(tx, key);
      if (decided === 'replaced' || decided === 'kept') await this.store.replace(tx, key);
      return decided;
    });
    if (decision === 'of-another-merchant') throw new Error(`LATCHKEY_BOOTSTRAP_API_KEY: the key ${keyId} belongs to another merchant than ${merchantId}`);
    if (decision === 'ended') this.logger.warn('the bootstrap key was revoked or rotated and stays so; configure another', { keyId });
    else this.logger.info('the bootstrap key is there', { keyId, merchantId, decision });
  }
}

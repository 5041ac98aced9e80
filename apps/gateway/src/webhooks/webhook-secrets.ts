import { Problem } from '@latchkey/contracts';
import { kekIdOf, newWebhookSecret } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';

/** A secret as its merchant is shown it, once, and as it is stored. */
export interface MadeSecret {
  readonly secret: string;
  readonly wrapped: string;
}

const purposeOf = (webhookId: string): string => `webhook/${webhookId}`;

/**
 * Makes and opens the secrets of webhooks. They lie wrapped in the database, under a key that the gateway alone has, each
 * sealed to its webhook: a copy of the database does not let anybody pass for us, nor is one webhook's secret any use in
 * the row of another.
 */
@Injectable()
export class WebhookSecrets {
  private readonly ring: GatewayConfiguration['webhookKeyRing'];

  constructor(@Inject(CONFIGURATION) configuration: GatewayConfiguration) {
    this.ring = configuration.webhookKeyRing;
  }

  /** The id of the key that wraps; undefined where there is none. */
  get primaryKeyId(): string | undefined {
    return this.ring?.primaryId;
  }

  /** A new secret of a webhook. Throws `webhooks-off` where there is no key to keep it with. */
  make(webhookId: string): MadeSecret {
    if (!this.ring) throw new Problem('webhooks-off', { detail: 'LATCHKEY_WEBHOOK_KEY is not set' });
    const secret = newWebhookSecret();
    return { secret, wrapped: this.ring.wrapSecret(purposeOf(webhookId), Buffer.from(secret, 'utf8')) };
  }

  /** The secret; undefined where its key is gone or it is another webhook's. */
  open(webhookId: string, wrapped: string): string | undefined {
    return this.ring?.unwrapSecret(purposeOf(webhookId), wrapped)?.toString('utf8');
  }

  /** The same secret under the key that wraps now; as it is where it lies there already, or cannot be opened. */
  rewrap(webhookId: string, wrapped: string): string {
    const opened = kekIdOf(wrapped) === this.primaryKeyId ? undefined : this.open(webhookId, wrapped);
    return opened === undefined ? wrapped : this.ring!.wrapSecret(purposeOf(webhookId), Buffer.from(opened, 'utf8'));
  }
}

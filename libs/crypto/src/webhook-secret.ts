import { randomBytes } from 'node:crypto';

const SECRET_BYTES = 32;

/**
 * A secret of a webhook as Standard Webhooks writes it: `whsec_` and 256 random bits in base64. The scheme asks for 192
 * to 512 bits.
 */
export function newWebhookSecret(): string {
  return `whsec_${randomBytes(SECRET_BYTES).toString('base64')}`;
}

import { describe, expect, it } from '@jest/globals';
import { newWebhookSecret } from './webhook-secret.js';

describe('a secret of a webhook', () => {
  it('is 32 bytes in base64 behind its prefix, and another each time', () => {
    const secrets = Array.from({ length: 100 }, newWebhookSecret);
    for (const secret of secrets) {
      expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
      expect(Buffer.from(secret.slice('whsec_'.length), 'base64')).toHaveLength(32);
    }
    expect(new Set(secrets).size).toBe(100);
  });
});

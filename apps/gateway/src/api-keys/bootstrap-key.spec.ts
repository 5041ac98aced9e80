import { describe, expect, it } from '@jest/globals';
import { generateApiKey, hashApiKeySecret } from '@latchkey/crypto';
import type { StoredApiKey } from './api-key-store.js';
import { decideBootstrap } from './bootstrap-key.js';

const key = generateApiKey('live', 'abcd1234');
const at = new Date(0);
const present = { merchantId: 'acme', hash: hashApiKeySecret(key), expiresAt: null, revokedAt: null } as StoredApiKey;
const anotherSecret = hashApiKeySecret(generateApiKey('live', 'abcd1234'));

describe('what becomes of the bootstrap key', () => {
  it.each([
    ['made', 'there is none', undefined],
    ['kept', 'it is there', present],
    ['replaced', 'another secret has its id', { ...present, hash: anotherSecret }],
    ['replaced', 'another secret has its id and is revoked', { ...present, hash: anotherSecret, revokedAt: at }],
    ['ended', 'it was revoked', { ...present, revokedAt: at }],
    ['ended', 'it was rotated', { ...present, expiresAt: at }],
    ['of-another-merchant', 'another merchant has it', { ...present, merchantId: 'other' }],
    ['of-another-merchant', 'another merchant has its id', { ...present, merchantId: 'other', hash: anotherSecret }],
  ])('%s, where %s', (decision, _, stored) => {
    expect(decideBootstrap(key, 'acme', stored)).toBe(decision);
  });
});

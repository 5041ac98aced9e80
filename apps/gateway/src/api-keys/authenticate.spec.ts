import { describe, expect, it } from '@jest/globals';
import { generateApiKey, hashApiKeySecret } from '@latchkey/crypto';
import type { StoredApiKey } from './api-key-store.js';
import { authenticate, isAllowed, readBearer } from './authenticate.js';

const key = generateApiKey('test', 'abcd1234');
const stored: StoredApiKey = {
  keyId: 'abcd1234',
  merchantId: 'acme',
  env: 'test',
  hash: hashApiKeySecret(key),
  scopes: ['cookies'],
  createdAt: new Date(0),
  expiresAt: null,
  revokedAt: null,
  live: true,
};
const caller = { merchantId: 'acme', keyId: 'abcd1234', scopes: ['cookies'] };

describe('a presented key', () => {
  it('makes a caller of whoever knows it', () => {
    expect(authenticate(key, stored)).toEqual(caller);
  });

  it.each([
    ['that nobody stored', key, undefined],
    ['with another secret', generateApiKey('test', 'abcd1234'), stored],
    ['with another env', key.replace('_test_', '_live_'), stored],
    ['that is not live', key, { ...stored, live: false }],
    ['whose stored hash is cut short', key, { ...stored, hash: stored.hash.subarray(0, 31) }],
  ])('is nobody’s %s', (_, presented, present) => {
    expect(authenticate(presented, present)).toBeUndefined();
  });
});

describe('a scope', () => {
  it('is what the key says and nothing that it might imply', () => {
    expect(isAllowed({ ...caller, scopes: ['cookies'] }, 'cookies')).toBe(true);
    expect(isAllowed({ ...caller, scopes: ['admin'] }, 'cookies')).toBe(false);
    expect(isAllowed({ ...caller, scopes: [] }, undefined)).toBe(true);
  });
});

describe('an Authorization header', () => {
  it.each<[string, string | undefined]>([
    ['Bearer abc', 'abc'],
    ['bearer   abc', 'abc'],
    ['Bearer', undefined],
    ['Bearer ', undefined],
    ['Bearer a b', undefined],
    ['Basic abc', undefined],
    ['DPoP abc', undefined],
    ['abc', undefined],
  ])('%s holds %s', (header, token) => {
    expect(readBearer([header])).toBe(token);
  });

  it('is nobody’s where it is missing, or stands twice', () => {
    expect([undefined, [], ['Bearer a', 'Bearer b'], ['Bearer a', 'Bearer a']].map(readBearer)).toEqual([undefined, undefined, undefined, undefined]);
  });
});

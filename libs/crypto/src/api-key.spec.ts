import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { apiKeyMatches, generateApiKey, hashApiKeySecret, parseApiKey } from './api-key.js';

const SECRET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNO-_';
const GOOD = `lk_test_key1_${SECRET}`;

describe('API keys', () => {
  it('are made in the form in which they are read, each with another secret', () => {
    const [one, other] = [generateApiKey('live', 'abcd'), generateApiKey('live', 'abcd')];
    expect(parseApiKey(one)).toMatchObject({ env: 'live', keyId: 'abcd' });
    expect(one).not.toBe(other);
    expect(parseApiKey(generateApiKey('live'))?.keyId).toMatch(/^[0-9a-f]{16}$/);
  });

  it('are not made with an env or id that could not be read again', () => {
    for (const env of ['', 'Live', 'a_b', 'test1']) expect(() => generateApiKey(env)).toThrow(RangeError);
    for (const keyId of ['', 'abc', 'a_bc', 'ab-cd', 'a'.repeat(33)]) {
      expect(() => generateApiKey('live', keyId)).toThrow(RangeError);
    }
  });

  it('are taken apart', () => {
    expect(parseApiKey(GOOD)).toEqual({ env: 'test', keyId: 'key1', secret: SECRET });
  });

  it('may have a secret that contains underscores and what looks like more parts', () => {
    const secret = '_abc_def_'.padEnd(43, '_');
    expect(parseApiKey(`lk_a_ABCD_${secret}`)).toEqual({ env: 'a', keyId: 'ABCD', secret });
  });

  it.each([
    ['another prefix', GOOD.replace('lk_', 'sk_')],
    ['a prefix in capitals', GOOD.replace('lk_', 'LK_')],
    ['no env', GOOD.replace('test', '')],
    ['an env with digits', GOOD.replace('test', 'test1')],
    ['a key id of 3', GOOD.replace('key1', 'key')],
    ['a key id of 33', GOOD.replace('key1', 'k'.repeat(33))],
    ['a key id with a hyphen', GOOD.replace('key1', 'key-1')],
    ['a secret of 42', GOOD.slice(0, -1)],
    ['a secret of 44', `${GOOD}A`],
    ['a secret with padding', `${GOOD.slice(0, -1)}=`],
    ['a line feed at the end', `${GOOD}\n`],
    ['a space before', ` ${GOOD}`],
    ['nothing', ''],
  ])('are refused with %s', (_, bad) => {
    expect(parseApiKey(GOOD)).toBeDefined();
    expect(parseApiKey(bad)).toBeUndefined();
  });

  it('are stored as the SHA-256 of the whole key', () => {
    expect(hashApiKeySecret(GOOD)).toEqual(createHash('sha256').update(GOOD).digest());
  });

  it('match their own hash and no other', () => {
    const hash = hashApiKeySecret(GOOD);
    expect(apiKeyMatches(GOOD, hash)).toBe(true);
    expect(apiKeyMatches(GOOD, new Uint8Array(hash))).toBe(true);
    expect(apiKeyMatches(GOOD.replace('key1', 'key2'), hash)).toBe(false);
    expect(apiKeyMatches(GOOD, hash.subarray(0, 31))).toBe(false);
    expect(apiKeyMatches(GOOD, Buffer.alloc(0))).toBe(false);
  });
});

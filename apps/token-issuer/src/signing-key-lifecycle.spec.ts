import { generateSigningKey } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { decideKeyWork, publishedKeys, type StoredSigningKey } from './signing-key-lifecycle.js';

const now = new Date('2026-11-23T12:00:00Z');
const ago = (days: number) => new Date(now.getTime() - days * 86_400_000);
const { publicJwk } = generateSigningKey();
const key = (keyId: string, state: StoredSigningKey['state'], times: Partial<StoredSigningKey> = {}): StoredSigningKey => ({
  keyId,
  publicJwk,
  wrappedKey: 'k1.x',
  state,
  ...times,
});
const NINETY_DAYS = 90 * 86_400;

describe('signing keys', () => {
  it.each<[string, StoredSigningKey[], object]>([
    ['there is none', [], { kind: 'announce' }],
    ['only retired ones', [key('old', 'retired', { retiredAt: ago(1) })], { kind: 'announce' }],
    ['the first one is announced', [key('new', 'announced')], { kind: 'activate-when-held', keyId: 'new' }],
    ['the active one is young', [key('active', 'active', { activatedAt: ago(89) })], { kind: 'nothing' }],
    ['the active one is old', [key('active', 'active', { activatedAt: ago(90) })], { kind: 'announce' }],
    ['its successor is announced', [key('new', 'announced'), key('active', 'active', { activatedAt: ago(91) })], { kind: 'activate-when-held', keyId: 'new' }],
  ])('%s', (_, keys, expected) => {
    expect(decideKeyWork(keys, now, NINETY_DAYS)).toEqual(expected);
  });

  it('are published while a token of theirs may live', () => {
    const keys = [
      key('announced', 'announced'),
      key('active', 'active', { activatedAt: ago(1) }),
      key('retired', 'retired', { retiredAt: ago(30) }),
      key('forgotten', 'retired', { retiredAt: ago(30.1) }),
    ];
    expect(publishedKeys(keys, now).keys.map(({ kid }) => kid)).toEqual(['announced', 'active', 'retired']);
    expect(publishedKeys(keys, now).keys[0]).toEqual({ ...publicJwk, kid: 'announced', alg: 'ES256', use: 'sig' });
  });
});

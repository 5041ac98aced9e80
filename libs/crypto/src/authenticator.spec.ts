import { describe, expect, it } from '@jest/globals';
import { generateApiKey, parseApiKey } from './api-key.js';
import { authenticatorOf, parseAuthenticator } from './authenticator.js';

const key = generateApiKey('live');
const good = authenticatorOf(key);

describe('an authenticator', () => {
  it('is an API key in another spelling, but for its env', () => {
    const { keyId, secret } = parseApiKey(key)!;
    expect(good).toMatch(/^[0-9a-f]{16},[0-9a-f]{86}$/);
    expect(parseAuthenticator(good)).toEqual({ keyId, secret });
  });

  it.each([
    ['nothing', ''],
    ['an API key', key],
    ['no id', good.slice(good.indexOf(','))],
    ['an id that is too long', `${'a'.repeat(17)}${good}`],
    ['no comma', good.replace(',', '')],
    ['a digit less', good.slice(0, -1)],
    ['a byte more', `${good}61`],
    ['capitals', good.toUpperCase()],
    ['a space', `${good} `],
    ['a secret of other characters', `${good.slice(0, -2)}2f`],
    ['a secret that is no ASCII', `${good.slice(0, -2)}e1`],
  ])('is not %s', (_, text) => {
    expect(parseAuthenticator(text)).toBeUndefined();
  });

  it('is made of API keys alone', () => {
    expect(() => authenticatorOf('secret')).toThrow(RangeError);
  });
});

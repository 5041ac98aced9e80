import { beforeEach, describe, expect, it, jest } from '@jest/globals';

// Watched before anything imports it, because a module keeps the functions that it was given when it was loaded.
const compared = jest.spyOn(process.getBuiltinModule('node:crypto'), 'timingSafeEqual');
const { apiKeyMatches, constantTimeEqual, createNonces, generateApiKey, hashApiKeySecret } = await import('../src/index.js');

const NOW_SECONDS = 1_800_000_000;
const secret = Buffer.alloc(32, 3);
const apiKey = generateApiKey('test', 'abcd1234');

/** The byte strings that were given to `timingSafeEqual`. */
const pairs = (): string[][] => compared.mock.calls.map((pair) => pair.map((bytes) => Buffer.from(bytes as Uint8Array).toString('hex')));

beforeEach(() => {
  compared.mockClear();
});

// A comparison that stops at the first difference gives the same answers, so no test of answers can find it.
describe('secrets are compared by timingSafeEqual', () => {
  it.each([
    ['equal', '0a0b0c', '0a0b0c', true],
    ['different in the first byte', 'ff0b0c', '0a0b0c', false],
    ['different in the last byte', '0a0bff', '0a0b0c', false],
  ])('if they are %s: whole, and once', (_, one, other, expected) => {
    expect(constantTimeEqual(Buffer.from(one, 'hex'), Buffer.from(other, 'hex'))).toBe(expected);
    expect(pairs()).toEqual([[one, other]]);
  });

  it('and its answer is the answer', () => {
    compared.mockReturnValueOnce(false);
    expect(constantTimeEqual(secret, secret)).toBe(false);
    compared.mockReturnValueOnce(true);
    expect(constantTimeEqual(secret, Buffer.alloc(32))).toBe(true);
  });

  it('if a nonce is judged, right or wrong', () => {
    const nonces = createNonces({ secrets: [secret] });
    const nonce = nonces.issue(NOW_SECONDS);
    const cases = [
      [nonce, true],
      [`${nonce.slice(0, -4)}AAAA`, false],
    ] as const;
    for (const [text, isFresh] of cases) {
      compared.mockClear();
      expect(nonces.isFresh(text, NOW_SECONDS)).toBe(isFresh);
      expect(compared).toHaveBeenCalledTimes(1);
    }
  });

  it('if an API key is judged, right or wrong', () => {
    const hash = hashApiKeySecret(apiKey);
    expect(apiKeyMatches(apiKey, hash)).toBe(true);
    expect(apiKeyMatches(generateApiKey('test', 'abcd1234'), hash)).toBe(false);
    expect(compared).toHaveBeenCalledTimes(2);
  });
});

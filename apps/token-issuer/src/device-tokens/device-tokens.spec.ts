import { generateSigningKey } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import { mintContentToken, type TokenTerms } from '../token.js';
import { fitIntoAnswer, LISTED_CHARACTERS_MAX, LISTED_TOKENS_MAX, type LiveToken, readStoredToken } from './device-tokens.js';

const signer = generateSigningKey();
const parties = { iss: 'latchkey', aud: 'https://licenses.example/v1/licenses' };
const deviceId = generateSigningKey().keyId;
const kid = '00112233445566778899aabbccddeeff';
const terms: TokenTerms = {
  merchantId: 'm1',
  purchaseId: 'order-1',
  cookie: 'cookie-1',
  deviceId,
  evidence: 'proof',
  contentId: 'film',
  kids: [kid],
  wrappedKeys: [`k1.${'A'.repeat(59)}`],
  rights: { type: 'purchase' },
};
const mint = (change: Partial<TokenTerms> = {}): string =>
  mintContentToken(signer, parties, { ...terms, ...change }, { tokenId: 'tok_1', now: new Date('2026-11-23T12:00:00.700Z'), ttlSeconds: 60 }).token;
const read = (change: Partial<TokenTerms> = {}): LiveToken | undefined => readStoredToken(mint(change), deviceId, null);

describe('a token as its device collects it', () => {
  it('says what the token says', () => {
    const token = mint();
    expect(readStoredToken(token, deviceId, 'order-1')).toEqual({
      cookie: 'cookie-1',
      shown: { token, tokenId: 'tok_1', purchaseId: 'order-1', contentId: 'film', kids: [kid], rights: { type: 'purchase' }, expiresAt: '2026-11-23T12:01:00.000Z' },
    });
    expect(read({ purchaseId: undefined })!.shown.purchaseId).toBeUndefined();
  });

  it('says which purchase it is of by now, though it was issued before that came', () => {
    expect(readStoredToken(mint({ purchaseId: undefined }), deviceId, 'order-2')!.shown.purchaseId).toBe('order-2');
  });

  it.each([
    [{ type: 'purchase', availableFrom: '2026-12-01T00:00:00.000Z' }],
    [{ type: 'rental', availableUntil: '2027-01-01T00:00:00.000Z', playDurationSeconds: 60 }],
    [{ type: 'rental', availableFrom: '2026-12-01T00:00:00.000Z', availableUntil: '9999-12-31T23:59:59.000Z', playDurationSeconds: 60 }],
  ] as const)('has its rights as they were bought: %j', (rights) => {
    expect(read({ rights })!.shown.rights).toEqual(rights);
  });

  it('is none where it is bound to an asserted id of the same spelling, or to another key', () => {
    expect(read({ evidence: 'asserted' })).toBeUndefined();
    expect(read({ deviceId: signer.keyId })).toBeUndefined();
  });
});

describe('an answer', () => {
  const shown = read()!.shown;
  const many = (count: number, token: string) => Array.from({ length: count }, () => ({ ...shown, token }));

  it('holds so many tokens, and says whether there are more', () => {
    expect(fitIntoAnswer([])).toEqual({ tokens: [], more: false });
    expect(fitIntoAnswer(many(LISTED_TOKENS_MAX, 'x'))).toEqual({ tokens: many(LISTED_TOKENS_MAX, 'x'), more: false });
    expect(fitIntoAnswer(many(LISTED_TOKENS_MAX + 1, 'x'))).toEqual({ tokens: many(LISTED_TOKENS_MAX, 'x'), more: true });
  });

  it('stays below the largest message with the longest tokens that there are', () => {
    const kids = Array.from({ length: 32 }, (_, index) => index.toString(16).padStart(32, '0'));
    const id = 'x'.repeat(128);
    const rights = { type: 'rental', availableFrom: '9999-12-30T00:00:00Z', availableUntil: '9999-12-31T00:00:00Z', playDurationSeconds: 315_360_000 } as const;
    const longest = read({ kids, wrappedKeys: kids.map(() => terms.wrappedKeys[0]!), purchaseId: id, contentId: id, rights })!.shown;
    for (const token of [longest, shown]) {
      const answer = fitIntoAnswer(Array.from({ length: 200 }, () => token));
      expect(answer.more).toBe(true);
      expect(JSON.stringify(answer).length).toBeLessThan(220 * 1024);
      expect(answer.tokens.reduce((sum, each) => sum + each.token.length, 0)).toBeLessThanOrEqual(LISTED_CHARACTERS_MAX);
    }
  });
});

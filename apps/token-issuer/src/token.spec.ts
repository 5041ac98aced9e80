import { generateDeviceKey, generateSigningKey, readToken } from '@latchkey/crypto';
import { describe, expect, it } from '@jest/globals';
import type { StoredPurchase } from './purchase.js';
import { type CurrentToken, decideTokenAnswer, isDueForRenewal, longestTokenFits, mintContentToken, tokenRights, type TokenTerms } from './token.js';

const issuedAt = new Date('2026-11-23T12:00:00Z');
const hours = (count: number) => new Date(issuedAt.getTime() + count * 3_600_000);

describe('a token is due for renewal', () => {
  it.each([
    ['a day’s token just issued', 24, 0, false],
    ['a day’s token in its first half', 24, 11.9, false],
    ['a day’s token in its second half', 24, 12, true],
    ['a day’s token that is over', 24, 25, true],
    ['a month’s token a day and an hour before its end', 720, 695, false],
    ['a month’s token a day before its end', 720, 696, true],
    ['an hour’s token just issued', 1, 0, false],
    ['an hour’s token at half time', 1, 0.5, true],
  ])('%s', (_, ttlHours, afterHours, due) => {
    expect(isDueForRenewal({ issuedAt, expiresAt: hours(ttlHours) }, hours(afterHours))).toBe(due);
  });
});

describe('who asks for the token of a purchase', () => {
  const token: CurrentToken = { tokenId: 'tok_1', token: 'x', deviceId: 'device-1', issuedAt, expiresAt: hours(24) };
  const purchase = (state: StoredPurchase['state'], code?: StoredPurchase['code']): StoredPurchase => ({
    merchantId: 'default',
    purchaseId: 'order-1',
    state,
    code,
    acceptedAt: issuedAt,
  });
  const fresh = { token, deviceRevoked: false };
  it.each<[string, StoredPurchase | undefined, Parameters<typeof decideTokenAnswer>[1], number, object]>([
    ['gets it', purchase('issued'), fresh, 1, { kind: 'answer', token }],
    ['gets a new one when it is soon over', purchase('issued'), fresh, 13, { kind: 'renew', token }],
    ['gets none of a revoked device, however fresh', purchase('issued'), { token, deviceRevoked: true }, 1, { kind: 'refuse', code: 'device-revoked' }],
    ['gets none where it was revoked', purchase('issued'), { token: undefined, deviceRevoked: false }, 1, { kind: 'refuse', code: 'device-revoked' }],
    ['has to wait', purchase('awaiting-device'), { token: undefined, deviceRevoked: false }, 1, { kind: 'refuse', code: 'token-not-issued' }],
    ['hears why it was rejected', purchase('rejected', 'kid-unknown'), { token: undefined, deviceRevoked: false }, 1, { kind: 'refuse', code: 'kid-unknown' }],
    ['hears that it was refunded', purchase('refunded'), fresh, 1, { kind: 'refuse', code: 'purchase-refunded' }],
    ['asks for something unknown', undefined, { token: undefined, deviceRevoked: false }, 1, { kind: 'refuse', code: 'purchase-unknown' }],
  ])('%s', (_, stored, held, afterHours, expected) => {
    expect(decideTokenAnswer(stored, held, hours(afterHours))).toEqual(expected);
  });
});

describe('rights in a token', () => {
  it.each([
    ['a purchase', { type: 'purchase' as const }, { type: 'purchase' }],
    [
      'a rental, rounded inwards',
      { type: 'rental' as const, availableFrom: '2026-01-01T00:00:00.100Z', availableUntil: '2026-01-02T00:00:00.900Z', playDurationSeconds: 5 },
      { type: 'rental', available_from: 1_767_225_601, available_until: 1_767_312_000, play_duration: 5 },
    ],
    [
      'times that a token cannot name',
      { type: 'rental' as const, availableFrom: '0001-01-01T00:00:00Z', availableUntil: '9999-12-31T23:59:59.999Z', playDurationSeconds: 5 },
      { type: 'rental', available_from: 0, available_until: 253_402_300_799, play_duration: 5 },
    ],
  ])('%s', (_, rights, expected) => {
    expect(tokenRights(rights)).toEqual(expected);
  });
});

describe('a minted token', () => {
  const signer = generateSigningKey();
  const parties = { iss: 'latchkey', aud: 'https://licenses.example/v1/licenses' };
  const wrapped = (kekId: string) => `${kekId}.${'A'.repeat(59)}`;
  const terms: TokenTerms = {
    merchantId: 'default',
    cookie: 'cookie-1',
    deviceId: generateDeviceKey().deviceId,
    evidence: 'proof',
    contentId: 'film-42',
    kids: ['b'.repeat(32), 'a'.repeat(32)],
    wrappedKeys: [wrapped('k1'), wrapped('k2')],
    rights: { type: 'purchase' },
  };

  it('begins and ends on whole seconds and names the KEKs that it needs', () => {
    const now = new Date('2026-11-23T12:00:00.999Z');
    const minted = mintContentToken(signer, parties, terms, { tokenId: 'tok_1', now, ttlSeconds: 60 });
    expect(minted).toMatchObject({ kekIds: ['k1', 'k2'], signingKeyId: signer.keyId, issuedAt, expiresAt: new Date('2026-11-23T12:01:00Z') });
    const read = readToken(minted.token);
    expect(read.ok && read.claims).toMatchObject({ kids: terms.kids, keys: terms.wrappedKeys, iat: 1_795_435_200, exp: 1_795_435_260, jti: 'tok_1' });
    expect(read.ok && read.claims).not.toHaveProperty('purchase');
  });

  it('fits with the longest ids in an ordinary deployment, and not in every one', () => {
    expect(longestTokenFits(signer, parties, 'k1')).toBe(true);
    expect(longestTokenFits(signer, parties, 'kek-202611')).toBe(true);
    expect(longestTokenFits(signer, { ...parties, aud: `https://${'x'.repeat(500)}/` }, 'k1')).toBe(false);
  });
});

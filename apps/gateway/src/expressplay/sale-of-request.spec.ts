import { describe, expect, it } from '@jest/globals';
import type { ExpressPlayDrm } from '@latchkey/contracts';
import { saleOf } from './sale-of-request.js';

const nowMs = Date.parse('2026-11-23T12:00:00Z');
const kid = '80ea8bc8a58f990ad1f76bc665b30bfa';
const sale = (drm: ExpressPlayDrm, values: Record<string, string>) => saleOf(drm, new Map(Object.entries({ kid, ...values })), nowMs);
const in30Days = '2026-12-23T12:00:00.000Z';

describe('the rights of a token request', () => {
  it.each<[string, ExpressPlayDrm, Record<string, string>, object]>([
    ['Widevine without a duration', 'wv', {}, { type: 'purchase' }],
    ['Widevine with one', 'wv', { licenseDuration: '60' }, { type: 'rental', availableUntil: in30Days, playDurationSeconds: 60 }],
    ['Widevine with one and a shorter token', 'wv', { licenseDuration: '60', expirationTime: '+3600' }, { type: 'rental', availableUntil: '2026-11-23T13:00:00.000Z', playDurationSeconds: 60 }],
    ['FairPlay without a duration', 'fp', {}, { type: 'purchase' }],
    ['FairPlay with one of 0', 'fp', { rentalDuration: '0' }, { type: 'purchase' }],
    ['FairPlay with one', 'fp', { rentalDuration: '60' }, { type: 'rental', availableUntil: in30Days, playDurationSeconds: 60 }],
    ['PlayReady, bought', 'pr', { rightsType: 'BuyToOwn', 'rental.periodEndTime': '+60', 'rental.playDuration': '5' }, { type: 'purchase' }],
    ['PlayReady, rented', 'pr', { rightsType: 'Rental', 'rental.periodEndTime': '+60', 'rental.playDuration': '5' }, { type: 'rental', availableUntil: '2026-11-23T12:01:00.000Z', playDurationSeconds: 5 }],
    ['PlayReady, rented until the end', 'pr', { rightsType: 'Rental', 'rental.periodEndTime': '2026-11-23T12:01:00Z' }, { type: 'rental', availableUntil: '2026-11-23T12:01:00.000Z', playDurationSeconds: 60 }],
  ])('for %s', (_, drm, values, rights) => {
    expect(sale(drm, values).rights).toEqual(rights);
  });
});

describe('what a token request sells', () => {
  it('is called by its content id, or else by its kid', () => {
    expect(sale('wv', { contentId: 'film' })).toMatchObject({ kid, contentId: 'film', ttlSeconds: 2_592_000 });
    expect(sale('wv', { kid: '^kid1' })).toMatchObject({ kid, contentId: `kid:${kid}` });
    expect(sale('wv', { kid: kid.toUpperCase() })).toMatchObject({ kid });
  });
});

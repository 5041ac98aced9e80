import type { Rights } from '@latchkey/contracts';
import { describe, expect, it } from '@jest/globals';
import { isOver } from '../purchase.js';
import type { CurrentToken } from '../token.js';
import { type CorrelatedToken, decideAdoption, decideSale, type PurchaseOfSale, saleKey, saleOf, type SaleFacts } from './sale.js';

const now = new Date('2026-11-25T12:00:00Z');
const hours = (count: number): Date => new Date(now.getTime() + count * 3_600_000);
const kid = 'a'.repeat(32);
const toKeep: Rights = { type: 'purchase' };
const rental = (untilHours: number): Rights => ({ type: 'rental', availableUntil: hours(untilHours).toISOString(), playDurationSeconds: 3600 });
const device = { deviceId: 'device-1', evidence: 'proof' as const, revoked: false, confidenceRefused: false };
const request = { deviceId: 'device-1', contentId: 'film-43', rights: rental(1) };
const token: CurrentToken = { tokenId: 'tok_2', token: 'x', deviceId: 'device-1', issuedAt: hours(-1), expiresAt: hours(200) };
const old: CurrentToken = { ...token, issuedAt: hours(-200), expiresAt: hours(1) };
const correlated: CorrelatedToken = {
  merchantId: 'default', cookie: 'cookie-1', kid, rightsType: 'rental', tokenId: 'tok_2', contentId: 'film-42', rights: rental(100), playClock: 'tok_1', token, revoked: false,
};
const purchase = (state: PurchaseOfSale['state'], rights = rental(100)): PurchaseOfSale => ({ purchaseId: 'order-1', state, rights });
const bound = { device, registryAsked: true };
const first = { kind: 'issue', device, contentId: 'film-43', rights: rental(1) };
const next = { kind: 'issue', device, contentId: 'film-42', rights: rental(100), playClock: 'tok_1' };

describe('who asks for the token of a sale', () => {
  it.each<[string, Partial<SaleFacts>, object]>([
    ['gets the first one', {}, first],
    ['gets the one that stands, whatever else it asks for', { correlated }, { kind: 'answer', token }],
    ['gets one in its place when it is soon over, for what was sold', { correlated: { ...correlated, token: old } }, next],
    ['gets one in the place of one that was forgotten', { correlated: { ...correlated, token: undefined } }, next],
    ['gets the first one of another rental where one is over', { correlated: { ...correlated, rights: rental(0) } }, first],
    ['gets none where it was revoked', { correlated: { ...correlated, revoked: true, token: undefined } }, { kind: 'refuse', code: 'device-revoked' }],
    ['gets the one of the purchase', { purchase: purchase('issued'), correlated }, { kind: 'ask-purchase', purchaseId: 'order-1' }],
    ['hears from the purchase what it waits for', { purchase: purchase('awaiting-device') }, { kind: 'ask-purchase', purchaseId: 'order-1' }],
    ['gets the first one of another rental where the purchase is over', { purchase: purchase('issued', rental(0)) }, first],
    ['gets the purchase’s while a token that it adopted ends later', { purchase: { ...purchase('issued', rental(0)), tokenRights: rental(1) } }, { kind: 'ask-purchase', purchaseId: 'order-1' }],
    ['gets the first one of another rental where that is over too', { purchase: { ...purchase('issued', rental(-1)), tokenRights: rental(0) } }, first],
    ['gets the purchase’s that has no end', { purchase: purchase('issued', toKeep) }, { kind: 'ask-purchase', purchaseId: 'order-1' }],
    ['gets none where the purchase was refunded', { purchase: purchase('refunded'), correlated }, { kind: 'refuse', code: 'purchase-refunded' }],
    ['gets none where it was refunded and is over', { purchase: purchase('refunded', rental(0)) }, { kind: 'refuse', code: 'purchase-refunded' }],
    ['has to have a device', { cookie: { expiresAt: hours(1), registryAsked: true } }, { kind: 'refuse', code: 'device-not-registered' }],
    ['has to have a cookie', { cookie: { registryAsked: true } }, { kind: 'refuse', code: 'cookie-unknown' }],
    ['has to name the bound device', { cookie: { ...bound, device: { ...device, deviceId: 'device-2' } }, correlated }, { kind: 'refuse', code: 'device-mismatch' }],
    ['has to name the bound device for a purchase too', { cookie: { ...bound, device: { ...device, deviceId: 'device-2' } }, purchase: purchase('issued') }, { kind: 'refuse', code: 'device-mismatch' }],
    ['gets none for a revoked device', { cookie: { ...bound, device: { ...device, revoked: true } }, correlated }, { kind: 'refuse', code: 'device-revoked' }],
    ['buys nothing on a device of whose id too little is sure', { cookie: { ...bound, device: { ...device, confidenceRefused: true } } }, { kind: 'refuse', code: 'device-confidence-refused' }],
    ['keeps there what was bought before', { cookie: { ...bound, device: { ...device, confidenceRefused: true } }, correlated }, { kind: 'answer', token }],
  ])('%s', (_, facts, expected) => {
    expect(decideSale(request, { cookie: bound, now, ...facts })).toEqual(expected);
  });
});

describe('a purchase whose sale has a token', () => {
  it.each<[string, Partial<CorrelatedToken>, object]>([
    ['adopts it, and the play clock', {}, { kind: 'adopt', token, playClock: 'tok_1' }],
    ['adopts it without a clock where there is none to keep', { rightsType: 'purchase', rights: toKeep }, { kind: 'adopt', token, playClock: undefined }],
    ['replaces one that has expired, and keeps the clock', { token: { ...token, expiresAt: now } }, { kind: 'replace', playClock: 'tok_1' }],
    ['replaces one that was forgotten, and keeps the clock', { token: undefined }, { kind: 'replace', playClock: 'tok_1' }],
    ['replaces one that was revoked', { revoked: true }, { kind: 'replace', playClock: 'tok_1' }],
    ['replaces one of another device', { token: { ...token, deviceId: 'device-2' } }, { kind: 'replace', playClock: 'tok_1' }],
    ['replaces one whose rental is over, and its clock', { rights: rental(0) }, { kind: 'replace' }],
  ])('%s', (_, change, expected) => {
    expect(decideAdoption({ ...correlated, ...change }, 'device-1', now)).toEqual(expected);
  });
});

describe('a sale', () => {
  const terms = { merchantId: 'default', cookie: 'cookie-1', kids: [kid], rights: toKeep };

  it('is one key for one cookie, to keep or for a time', () => {
    expect(saleOf(terms)).toEqual({ merchantId: 'default', cookie: 'cookie-1', kid, rightsType: 'purchase' });
    expect(saleOf({ ...terms, rights: rental(1) })!.rightsType).toBe('rental');
    expect(saleOf({ ...terms, kids: [kid, 'b'.repeat(32)] })).toBeUndefined();
  });

  it('has a key that no other has, whatever its cookie is made of', () => {
    const sale = saleOf(terms)!;
    const others = [{ cookie: 'cookie/1' }, { merchantId: 'other' }, { kid: 'b'.repeat(32) }, { rightsType: 'rental' as const }, { cookie: `purchase/${sale.cookie}` }];
    expect(new Set([sale, ...others.map((other) => ({ ...sale, ...other }))].map(saleKey)).size).toBe(others.length + 1);
  });

  it('is over when a rental is, and never when it is to keep', () => {
    expect([isOver(rental(0), now), isOver(rental(1), now), isOver(toKeep, now)]).toEqual([true, false, false]);
  });
});

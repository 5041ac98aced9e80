import { describe, expect, it } from '@jest/globals';
import { type ArrivalFacts, decideArrival, decideRefund, decideWaiting, type Purchase, sameTerms, type StoredPurchase, viewOf } from './purchase.js';

const now = new Date('2026-11-23T12:00:00Z');
const later = new Date('2026-11-23T13:00:00Z');
const justOver = new Date('2026-11-23T11:59:59.500Z');
const longOver = new Date('2026-11-23T11:00:00Z');
const device = { deviceId: 'device-1', evidence: 'proof' as const, revoked: false, confidenceRefused: false };

const purchase: Purchase = {
  merchantId: 'default',
  purchaseId: 'order-1',
  cookie: 'cookie-1',
  contentId: 'film-42',
  kids: ['a'.repeat(32), 'b'.repeat(32)],
  rights: { type: 'rental', availableUntil: '2027-01-01T00:00:00Z', playDurationSeconds: 60 },
  completedAt: '2026-11-23T11:00:00Z',
};
const stored: StoredPurchase = { merchantId: 'default', purchaseId: 'order-1', state: 'issued', terms: purchase, acceptedAt: now };

function facts(given: Partial<ArrivalFacts> = {}): ArrivalFacts {
  return { cookie: { expiresAt: later, registryAsked: true }, kidsKnown: true, upstream: false, now, graceMs: 0, ...given };
}

describe('a purchase that arrives', () => {
  it.each<[string, Partial<Purchase>, Partial<ArrivalFacts>, object]>([
    ['waits where its cookie lives and has no device', {}, {}, { kind: 'wait' }],
    ['is issued to the device of its cookie', {}, { cookie: { device, registryAsked: false } }, { kind: 'issue', device }],
    ['is issued where its cookie is over but was bound', {}, { cookie: { expiresAt: longOver, device, registryAsked: true } }, { kind: 'issue', device }],
    ['is issued to the device that it names', { deviceId: 'device-1' }, { cookie: { device, registryAsked: false } }, { kind: 'issue', device }],
    ['is refused where nobody knows the cookie', {}, { cookie: { registryAsked: true } }, { kind: 'refuse', code: 'cookie-unknown' }],
    ['is refused where the cookie is over', {}, { cookie: { expiresAt: now, registryAsked: true } }, { kind: 'refuse', code: 'cookie-expired' }],
    ['waits within the grace', {}, { cookie: { expiresAt: justOver, registryAsked: true }, graceMs: 1_000 }, { kind: 'wait' }],
    ['waits where the registry was not asked', {}, { cookie: { expiresAt: longOver, registryAsked: false } }, { kind: 'wait' }],
    ['is refused where a kid is unknown', {}, { kidsKnown: false }, { kind: 'refuse', code: 'kid-unknown' }],
    ['is refused with several kids where each token has one', {}, { upstream: true }, { kind: 'refuse', code: 'unsupported-upstream' }],
    ['is issued with several to a device that has proved a key', {}, { upstream: true, cookie: { device, registryAsked: false } }, { kind: 'issue', device }],
    ['waits with one kid there', { kids: ['a'.repeat(32)] }, { upstream: true }, { kind: 'wait' }],
    ['is refused to a revoked device', {}, { cookie: { device: { ...device, revoked: true }, registryAsked: true } }, { kind: 'refuse', code: 'device-revoked' }],
    ['is refused to another device', { deviceId: 'device-2' }, { cookie: { device, registryAsked: true } }, { kind: 'refuse', code: 'device-mismatch' }],
    ['hears of the revocation before the mismatch', { deviceId: 'device-2' }, { cookie: { device: { ...device, revoked: true }, registryAsked: true } }, { kind: 'refuse', code: 'device-revoked' }],
    ['is refused to a device of whose id too little is sure', {}, { cookie: { device: { ...device, confidenceRefused: true }, registryAsked: true } }, { kind: 'refuse', code: 'device-confidence-refused' }],
    ['hears of the mismatch before that', { deviceId: 'device-2' }, { cookie: { device: { ...device, confidenceRefused: true }, registryAsked: true } }, { kind: 'refuse', code: 'device-mismatch' }],
    ['is a repetition, whatever became of the cookie', { completedAt: '2027-01-01T00:00:00Z' }, { existing: stored, cookie: { registryAsked: true } }, { kind: 'repeat' }],
    ['differs from the one before', { contentId: 'film-43' }, { existing: stored }, { kind: 'differs' }],
    ['was refunded before', {}, { existing: { ...stored, state: 'refunded', terms: undefined } }, { kind: 'refunded-before' }],
  ])('%s', (_, change, given, expected) => {
    expect(decideArrival({ ...purchase, ...change }, facts(given))).toEqual(expected);
  });
});

describe('a purchase that waits', () => {
  it.each<[string, Partial<Purchase>, Parameters<typeof decideWaiting>[1], object]>([
    ['is issued when a device comes', {}, { device, registryAsked: false }, { kind: 'issue', device }],
    ['is rejected when another device comes', { deviceId: 'device-2' }, { device, registryAsked: false }, { kind: 'refuse', code: 'device-mismatch' }],
    ['is rejected when the device is revoked', {}, { device: { ...device, revoked: true }, registryAsked: false }, { kind: 'refuse', code: 'device-revoked' }],
    ['is rejected when a device comes of whose id too little is sure', {}, { device: { ...device, confidenceRefused: true }, registryAsked: false }, { kind: 'refuse', code: 'device-confidence-refused' }],
    ['is rejected when the cookie is over', {}, { expiresAt: longOver, registryAsked: true }, { kind: 'refuse', code: 'cookie-expired' }],
    ['waits on within the grace', {}, { expiresAt: justOver, registryAsked: true }, { kind: 'wait' }],
    ['waits on where the registry was not asked', {}, { expiresAt: longOver, registryAsked: false }, { kind: 'wait' }],
    ['waits on while the cookie lives', {}, { expiresAt: later, registryAsked: true }, { kind: 'wait' }],
  ])('%s', (_, change, cookie, expected) => {
    expect(decideWaiting({ ...purchase, ...change }, cookie, now)).toEqual(expected);
  });
});

describe('two statements of a purchase', () => {
  const [first, second] = purchase.kids as [string, string];
  const sameRights = { type: 'rental' as const, playDurationSeconds: 60, availableUntil: '2027-01-01T00:00:00.000Z' };
  it.each<[string, Partial<Purchase>, boolean]>([
    ['kids in another order', { kids: [second, first] }, true],
    ['another time of completion', { completedAt: '2026-12-01T00:00:00Z' }, true],
    ['the same instant in another spelling', { rights: sameRights }, true],
    ['other kids', { kids: [first] }, false],
    ['another cookie', { cookie: 'cookie-2' }, false],
    ['another content', { contentId: 'film-43' }, false],
    ['a device named', { deviceId: 'device-1' }, false],
    ['another play duration', { rights: { ...sameRights, playDurationSeconds: 61 } }, false],
    ['another type of rights', { rights: { type: 'purchase' } }, false],
    ['a beginning', { rights: { ...sameRights, availableFrom: '2026-01-01T00:00:00Z' } }, false],
  ])('with %s', (_, change, same) => {
    expect(sameTerms(purchase, { ...purchase, ...change })).toBe(same);
  });
});

it.each([
  [undefined, 'tombstone'],
  ['issued', 'refund'],
  ['awaiting-device', 'refund'],
  ['rejected', 'nothing'],
  ['refunded', 'nothing'],
] as const)('a refund of a purchase that is %s: %s', (state, expected) => {
  expect(decideRefund(state && { state })).toBe(expected);
});

it('shows a tombstone with what it knows', () => {
  const view = viewOf({ merchantId: 'default', purchaseId: 'order-1', state: 'refunded', acceptedAt: now, refundedAt: later });
  expect(JSON.parse(JSON.stringify(view))).toEqual({
    purchaseId: 'order-1',
    state: 'refunded',
    acceptedAt: now.toISOString(),
    refundedAt: later.toISOString(),
  });
});

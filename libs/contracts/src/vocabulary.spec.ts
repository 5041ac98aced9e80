import { describe, expect, it } from '@jest/globals';
import { confidenceOf, vocabulary } from './index.js';

const { kids, rights, purchaseId, merchantId, timestamp } = vocabulary;
const kid = (n: number): string => n.toString(16).padStart(32, '0');
const accepts = (schema: { safeParse(value: unknown): { success: boolean } }, value: unknown): boolean => schema.safeParse(value).success;

describe('the confidence in a device', () => {
  it.each([
    ['proof', undefined, 'proof'],
    ['proof', 'unknown', 'proof'],
    ['asserted', 'hardware', 'hardware'],
    ['asserted', null, 'unknown'],
    ['asserted', undefined, 'unknown'],
  ] as const)('with evidence %s and %s stated is %s', (evidence, stated, confidence) => {
    expect(confidenceOf(evidence, stated)).toBe(confidence);
  });
});

describe('kids', () => {
  it('are 1 to 32', () => {
    expect(accepts(kids, [])).toBe(false);
    expect(accepts(kids, [kid(1)])).toBe(true);
    expect(accepts(kids, Array.from({ length: 32 }, (_, n) => kid(n)))).toBe(true);
    expect(accepts(kids, Array.from({ length: 33 }, (_, n) => kid(n)))).toBe(false);
  });

  it.each([
    ['repeated', [kid(1), kid(1)]],
    ['in capitals', [kid(10).toUpperCase()]],
    ['too short', [kid(1).slice(1)]],
    ['not text', [1]],
  ])('are refused when %s', (_, value) => {
    expect(accepts(kids, value)).toBe(false);
  });
});

describe('rights', () => {
  const rental = { type: 'rental', availableUntil: '2026-12-01T00:00:00Z', playDurationSeconds: 1 };

  it.each([
    ['a purchase', { type: 'purchase' }],
    ['a purchase from a day on', { type: 'purchase', availableFrom: '2026-11-23T00:00:00Z' }],
    ['a rental', rental],
    ['a rental from a day on', { ...rental, availableFrom: '2026-11-30T23:59:59Z' }],
  ])('take %s', (_, value) => {
    expect(accepts(rights, value)).toBe(true);
  });

  it.each([
    ['of another type', { type: 'lease' }],
    ['of a rental without its end', { type: 'rental', playDurationSeconds: 1 }],
    ['of a rental without its clock', { type: 'rental', availableUntil: rental.availableUntil }],
    ['of a rental with no time to play', { ...rental, playDurationSeconds: 0 }],
    ['of a rental with half a second', { ...rental, playDurationSeconds: 1.5 }],
    ['that close before they open', { ...rental, availableFrom: '2026-12-01T00:00:00Z' }],
    ['with a member that nobody knows', { type: 'purchase', playDurationSeconds: 1 }],
  ])('refuse those %s', (_, value) => {
    expect(accepts(rights, value)).toBe(false);
  });
});

describe('ids from outside', () => {
  it.each(['a', 'A-Z.09_:', 'x'.repeat(128)])('take %s', (id) => {
    expect(accepts(purchaseId, id)).toBe(true);
  });

  it.each(['', 'x'.repeat(129), 'a b', 'a/b', 'ä', 'a\n'])('refuse %j', (id) => {
    expect(accepts(purchaseId, id)).toBe(false);
  });
});

describe('merchant ids', () => {
  it.each(['-a', 'a-', 'A', '', 'a.b', 'x'.repeat(64)])('refuse %j, which could not be part of a broker user', (id) => {
    expect(accepts(merchantId, id)).toBe(false);
  });
});

describe('timestamps', () => {
  it.each(['2026-11-23', '2026-11-23T12:00:00', '2026-11-23T12:00:00+01:00', 'now', 7, '0000-01-01T00:00:00Z'])('refuse %j, which is not RFC 3339 in UTC', (value) => {
    expect(accepts(timestamp, value)).toBe(false);
  });
});

describe('reasons', () => {
  it.each(['x', 'Kündigung – ok', 'gone 📺', 'x'.repeat(256), '📺'.repeat(256)])('take %j', (text) => {
    expect(accepts(vocabulary.reason, text)).toBe(true);
  });

  it.each(['', 'x'.repeat(257), 'a\u0000b', 'two\nlines', 'half \ud83d', '\udcfa first', '\udcfa\ud83d'])('refuse %j', (text) => {
    expect(accepts(vocabulary.reason, text)).toBe(false);
  });

  it.each(['', 'a\u0000b', 'two\nlines', 'half \ud83d'])('of a checkout take even %j', (text) => {
    expect(accepts(vocabulary.reasonInEvents, text)).toBe(true);
  });
});

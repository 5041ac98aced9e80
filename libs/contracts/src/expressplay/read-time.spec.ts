import { describe, expect, it } from '@jest/globals';
import { EXPRESSPLAY_LIFETIME_SECONDS, isLifetime, lifetimeSeconds, readTime } from './read-time.js';

const nowMs = Date.parse('2026-11-23T12:00:00Z');

describe('a time of the reference', () => {
  it.each([
    ['+60', nowMs + 60_000],
    [' 60', nowMs + 60_000],
    ['+0', nowMs],
    ['2026-11-23T12:01:00Z', nowMs + 60_000],
    ['2026-11-23T12:01:00.500Z', nowMs + 60_500],
    ['60', undefined],
    ['+', undefined],
    ['+1.5', undefined],
    ['+-5', undefined],
    ['+12345678901', undefined],
    ['2026-02-30T12:00:00Z', undefined],
    ['2026-11-23T12:00:00+01:00', undefined],
    ['2026-11-23T12:00:00', undefined],
    ['', undefined],
  ])('is read from %j', (value, ms) => {
    expect(readTime(value, nowMs)).toBe(ms);
  });
});

describe('the lifetime of a token', () => {
  it.each([
    ['+1', true],
    ['+2592000', true],
    ['+0', false],
    ['+2592061', false],
    ['2026-11-23T12:00:00Z', false],
    ['2026-11-23T12:00:01Z', true],
    ['2026-12-23T12:00:30Z', true],
    ['2026-12-23T12:02:00Z', false],
  ])('%j is one: %j', (value, isOne) => {
    expect(isLifetime(value, nowMs)).toBe(isOne);
  });

  it('is 30 days unless it is shorter, whatever a clock ahead of ours adds', () => {
    expect(lifetimeSeconds(undefined, nowMs)).toBe(EXPRESSPLAY_LIFETIME_SECONDS);
    expect(lifetimeSeconds('2026-12-23T12:00:30Z', nowMs)).toBe(EXPRESSPLAY_LIFETIME_SECONDS);
    expect(lifetimeSeconds('+60', nowMs)).toBe(60);
    expect(lifetimeSeconds('2026-11-23T12:00:01.900Z', nowMs)).toBe(1);
  });
});

import { describe, expect, it } from '@jest/globals';
import { failureOf, postponementOf, recordWaitSecondsAfter, waitSecondsAfter } from './upstream-retry.js';

const away = { kind: 'unavailable' as const, why: 'timeout' as const };
const refused = { kind: 'refused' as const, status: 400, code: -5004 };

describe('how long is waited', () => {
  it.each([
    ['after the first missing answer', 1, away, 0, 1],
    ['after the fourth', 4, away, 0, 8],
    ['after very many', 1_000, away, 0, 30],
    ['after the first refusal', 1, refused, 0, 60],
    ['after very many refusals', 1_000, refused, 0, 3_600],
    ['at the least', 4, away, 1, 5.6],
  ])('%s', (_, attempt, outcome, random, seconds) => {
    expect(waitSecondsAfter(attempt, outcome, random)).toBeCloseTo(seconds);
  });

  it('for a device, up to half a minute', () => {
    expect([1, 3, 100].map((attempt) => recordWaitSecondsAfter(attempt, 0))).toEqual([1, 4, 30]);
  });
});

describe('when it is tried again', () => {
  it.each([
    ['a first failure', 1, null, refused, { attempt: 1, waitSeconds: 60, failure: 'refused: -5004' }],
    ['after attempts that nobody ended', 3, null, away, { attempt: 3, waitSeconds: 4, failure: 'unavailable: timeout' }],
    ['one more refusal', 3, 'refused: 401', refused, { attempt: 3, waitSeconds: 240, failure: 'refused: -5004' }],
    ['one more missing answer', 4, 'unavailable: network', away, { attempt: 4, waitSeconds: 8, failure: 'unavailable: timeout' }],
    ['a refusal after many missing answers', 100, 'unavailable: circuit-open', refused, { attempt: 1, waitSeconds: 60, failure: 'refused: -5004' }],
    ['a missing answer after many refusals', 100, 'refused: 403', away, { attempt: 1, waitSeconds: 1, failure: 'unavailable: timeout' }],
  ])('%s', (_, attempt, lastFailure, outcome, expected) => {
    expect(postponementOf({ attempt, lastFailure }, outcome, 0)).toEqual(expected);
  });
});

it('a failure is told in words of our own', () => {
  expect([failureOf(away), failureOf(refused), failureOf({ ...refused, code: undefined })]).toEqual(['unavailable: timeout', 'refused: -5004', 'refused: 400']);
});

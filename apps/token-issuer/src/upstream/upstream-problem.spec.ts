import { describe, expect, it } from '@jest/globals';
import { problemOfUpstream } from './upstream-problem.js';
import type { Refused, Unavailable } from './upstream-answer.js';

describe('who waits for a token from elsewhere', () => {
  it.each<[string, Refused | Unavailable, string, number | undefined]>([
    ['may ask again soon where nobody answers', { kind: 'unavailable', why: 'circuit-open' }, 'unavailable', 2],
    ['may ask again later where the credential is not taken', { kind: 'refused', status: 400, code: -2017 }, 'unavailable', 60],
    ['may ask again later where nothing is at the address', { kind: 'refused', status: 404 }, 'unavailable', 60],
    ['need not ask again where there is no such token', { kind: 'refused', status: 400, code: -5004 }, 'unsupported-upstream', undefined],
    ['need not ask again after a refusal without a code', { kind: 'refused', status: 400 }, 'unsupported-upstream', undefined],
  ])('%s', (_, outcome, code, retryAfterSeconds) => {
    expect(problemOfUpstream(outcome)).toMatchObject({ code, retryAfterSeconds });
  });
});

import { describe, expect, it } from '@jest/globals';
import { cookieOf } from './cookie-of-request.js';

const nowhere = { body: undefined, query: undefined, header: undefined };

describe('the cookie of a request', () => {
  it.each(['body', 'query', 'header'] as const)('may stand in its %s', (place) => {
    expect(cookieOf({ ...nowhere, [place]: 'biscuit' })).toEqual({ cookie: 'biscuit' });
  });

  it('may stand in several places, if it is the same', () => {
    expect(cookieOf({ body: 'biscuit', query: 'biscuit', header: 'biscuit' })).toEqual({ cookie: 'biscuit' });
  });

  it.each([
    ['body and query', { ...nowhere, body: 'one', query: 'other' }],
    ['body and header', { ...nowhere, body: 'one', header: 'other' }],
    ['query and header', { ...nowhere, query: 'one', header: 'other' }],
    ['two that agree and a third', { body: 'one', query: 'one', header: 'other' }],
  ])('is refused where %s differ', (_, places) => {
    expect(cookieOf(places)).toEqual({ refusal: expect.stringContaining('differ') });
  });

  it('has to stand somewhere', () => {
    expect(cookieOf(nowhere)).toEqual({ refusal: expect.stringContaining('no cookie') });
  });
});

import { describe, expect, it } from '@jest/globals';
import { refuseForeign } from './guard.js';

const good = { host: '127.0.0.1:8080', origin: 'http://127.0.0.1:8080', 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
const outcome = (method: string, headers: Record<string, string | undefined>, isCall = true): string => {
  try {
    refuseForeign({ method, headers: { ...good, ...headers } }, 'shop.example', isCall);
    return 'let in';
  } catch (error) {
    return (error as { code: string }).code;
  }
};

describe('who may use the shop', () => {
  it.each([
    ['its own page', 'POST', {}, 'let in'],
    ['its own page under another name of this machine', 'POST', { host: 'localhost:9000', origin: 'http://localhost:9000' }, 'let in'],
    ['its own page at its public name', 'POST', { host: 'shop.example', origin: 'https://shop.example' }, 'let in'],
    ['a browser that says nothing of the site', 'POST', { 'sec-fetch-site': undefined }, 'let in'],
    ['a name that resolves to this machine', 'POST', { host: 'evil.example:8080', origin: 'http://evil.example:8080' }, 'foreign-host'],
    ['a name that only begins like this machine’s', 'POST', { host: '127.0.0.1.evil.example', origin: undefined }, 'foreign-host'],
    ['no name at all', 'GET', { host: undefined }, 'foreign-host'],
    ['another site', 'POST', { origin: 'http://evil.example' }, 'foreign-origin'],
    ['another port of this machine', 'POST', { origin: 'http://127.0.0.1:3000' }, 'foreign-origin'],
    ['a page without an origin', 'POST', { origin: 'null' }, 'foreign-origin'],
    ['a POST that does not say where it comes from', 'POST', { origin: undefined }, 'foreign-origin'],
    ['a reading from another site', 'GET', { origin: undefined, 'sec-fetch-site': 'cross-site' }, 'foreign-origin'],
    ['a form', 'POST', { 'content-type': 'text/plain' }, 'not-json'],
    ['a type that only begins like JSON', 'POST', { 'content-type': 'application/jsonp' }, 'not-json'],
  ])('%s', (_, method, headers, expected) => expect(outcome(method, headers)).toBe(expected));

  it('a link from another site leads to the page, and to no call', () => {
    const followed = { origin: undefined, 'sec-fetch-site': 'cross-site', 'content-type': undefined };
    expect([outcome('GET', followed, false), outcome('GET', followed)]).toEqual(['let in', 'foreign-origin']);
  });
});

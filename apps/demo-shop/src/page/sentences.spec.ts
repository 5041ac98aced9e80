import { describe, expect, it } from '@jest/globals';
import { answerOf, clockText, durationText, shortId, whyRefused } from './sentences.js';
import { readToken } from './token-facts.js';

const own = 'q8ZrXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXT1sA';
const other = 'aaaaYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYYzzzz';
const refused = { status: 401, code: 'invalid-token', tokenDevice: own, ownDevice: own };

describe('why it does not play', () => {
  it('names both devices where the token is another’s', () => {
    expect(whyRefused({ ...refused, tokenDevice: other })).toMatch(/another device, aaaa…zzzz\. This browser is q8Zr…T1sA/);
  });
  it.each([
    ['invalid-token', 401, /given back/],
    ['rental-expired', 403, /Rent the film again/],
    ['device-revoked', 403, /new device/],
    ['never-heard-of', 403, /Reload the page/],
    ['unavailable', 503, /Check that Latchkey is running/],
    ['network', undefined, /Check that Latchkey is running/],
  ])('%s', (code, status, expected) => expect(whyRefused({ ...refused, code, status })).toMatch(expected));

  it('does not blame the token while the server is away', () => {
    expect(whyRefused({ ...refused, tokenDevice: other, status: 503 })).not.toContain('another device');
  });
});

it('says what the server answered', () => expect([answerOf(refused), answerOf({ status: undefined, code: 'network' })]).toEqual(['licence server: 401 invalid-token', 'no answer from the licence server']));
it.each([[61_000, '1:01'], [59_001, '1:00'], [1, '0:01'], [0, '0:00'], [-5, '0:00']])('%i ms are left: %s', (ms, text) => expect(clockText(ms)).toBe(text));
it.each([[60, '60 seconds'], [300, '5 minutes'], [3600, 'an hour'], [7200, '2 hours'], [61, '61 seconds']])('%i s: %s', (seconds, text) => expect(durationText(seconds)).toBe(text));
it('shortens what is long, and nothing else', () => expect([shortId(own), shortId('short')]).toEqual(['q8Zr…T1sA', 'short']));

describe('a pasted text', () => {
  const tokenOf = (claims: object): string => `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.c2ln`;
  it('is read where it is a content token', () => expect(readToken(tokenOf({ cnf: { jkt: own }, kids: ['00'] }))).toEqual({ deviceId: own, kids: ['00'] }));
  it.each(['', 'hello', 'a.b.c', '..', tokenOf({ kids: [] }), tokenOf({ cnf: { jkt: 7 }, kids: [] }), `e30.${btoa('null')}.x`])('is not read where it is none: %s', (text) => expect(readToken(text)).toBeUndefined());
});

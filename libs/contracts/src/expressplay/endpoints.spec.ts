import { describe, expect, it } from '@jest/globals';
import { expressPlayEndpoints, expressPlayMethods, isExpressPlayUrl } from './endpoints.js';
import { expressPlayCodes } from './error-codes.js';

describe('the endpoints of the ExpressPlay-shaped surface', () => {
  it('have rows that say everything', () => {
    for (const { path, parameters } of expressPlayEndpoints) {
      const names = parameters.flatMap(({ name, aliases }) => [name, ...(aliases ?? [])]);
      expect([path, new Set(names).size]).toEqual([path, names.length]);
      for (const { name, required, missing, meaning } of parameters) {
        expect([path, name, meaning.length > 0]).toEqual([path, name, true]);
        // What must be there has a code for when it is not.
        expect([path, name, required === 'never' || missing !== undefined]).toEqual([path, name, true]);
      }
    }
  });

  it('answer with no code that nobody uses', () => {
    const used = new Set(expressPlayEndpoints.flatMap(({ parameters, rules }) => [...parameters.flatMap(({ missing, checks }) => [missing, ...checks.map(({ code }) => code)]), ...rules.map(({ code }) => code)]));
    const unused = Object.keys(expressPlayCodes).filter((code) => !used.has(Number(code) as never));
    expect(unused.filter((code) => Number(code) > -9000).sort()).toEqual(['-4001', '-4019']);
  });

  it.each([
    ['/hms/wv/token?x=1', ['GET', 'POST']],
    ['/hms/wv/rights/', ['GET', 'POST']],
    ['/cmiapi/getrecord/?cookie=a', ['GET']],
    ['/keystore/keys', ['POST', 'GET']],
    ['/keystore/keys/^a,^b', ['GET', 'PUT', 'DELETE']],
    ['/hms/xx/token', []],
    ['/hms/wv/token/more', []],
  ])('know the methods of %s', (url, methods) => {
    expect(expressPlayMethods(url)).toEqual(methods);
    expect(isExpressPlayUrl(url)).toBe(true);
  });

  it.each(['/hmsx', '/v1/hms/wv/token', '/', '/?/hms/wv/token'])('are not at %s', (url) => {
    expect(isExpressPlayUrl(url)).toBe(false);
  });
});

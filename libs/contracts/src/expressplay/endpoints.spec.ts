import { describe, expect, it } from '@jest/globals';
import { expressPlayEndpoints, isExpressPlayUrl } from './endpoints.js';
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

  it.each(['/hms/wv/token?x=1', '/hms/wv/rights/', '/cmiapi/getrecord/?cookie=a', '/keystore/keys/^a,^b', '/sees', '/hms/xx/token'])('are at %s, known or not', (url) => {
    expect(isExpressPlayUrl(url)).toBe(true);
  });

  it.each(['/hmsx', '/v1/hms/wv/token', '/', '/?/hms/wv/token'])('are not at %s', (url) => {
    expect(isExpressPlayUrl(url)).toBe(false);
  });
});

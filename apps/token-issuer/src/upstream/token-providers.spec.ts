import { describe, expect, it } from '@jest/globals';
import { readTokenProviders } from './token-providers.js';

const SECRET = '201722,1ad8eed133edf43cbcc185f0236828ae';
const acme = { merchantId: 'acme', kind: 'expressplay', drm: 'pr', url: 'https://licences.example', customerAuthenticator: SECRET };
const read = (...entries: object[]) => readTokenProviders(JSON.stringify(entries));
const problemsOf = (...entries: object[]): readonly string[] => {
  const result = read(...entries);
  return result.ok ? [] : result.problems;
};

describe('the providers of tokens', () => {
  it('are none where none is configured', () => {
    expect([readTokenProviders(''), readTokenProviders('[]')]).toEqual([
      { ok: true, providers: new Map() },
      { ok: true, providers: new Map() },
    ]);
  });

  it('have their paths below one origin, or where they are named', () => {
    const result = read({ ...acme, url: 'https://licences.example/drm/' }, { ...acme, merchantId: 'other', url: undefined, tokenUrl: 'https://gen.example/t', recordUrl: 'http://127.0.0.1:80/r' });
    const urls = result.ok ? [...result.providers.values()].map(({ tokenUrl, recordUrl }) => [tokenUrl.href, recordUrl.href]) : [];
    expect(urls).toEqual([
      ['https://licences.example/drm/hms/pr/token', 'https://licences.example/drm/cmiapi/getrecord/'],
      ['https://gen.example/t', 'http://127.0.0.1/r'],
    ]);
  });

  it.each<[string, object, string]>([
    ['a merchant that is none', { merchantId: 'Acme' }, 'entry 1 merchantId must be 1 to 63'],
    ['another kind', { kind: 'other' }, 'entry 1 kind must be expressplay'],
    ['another DRM', { drm: 'widevine' }, 'entry 1 drm must be pr, wv or fp'],
    ['no credential', { customerAuthenticator: undefined }, 'entry 1 customerAuthenticator must be given'],
    ['plain http to elsewhere', { url: 'http://licences.example' }, 'entry 1 url must be an https URL'],
    ['http to what only looks like loopback', { url: 'http://127.0.0.1.example' }, 'entry 1 url must be an https URL'],
    ['credentials in the URL', { url: 'https://someone@licences.example' }, 'entry 1 url must be an https URL'],
    ['a query in the URL', { url: 'https://licences.example?customerAuthenticator=1' }, 'entry 1 url must be an https URL'],
    ['half of the URLs', { url: undefined, tokenUrl: 'https://x.example' }, 'entry 1 url must be given, or both'],
    ['a timeout that is too long', { timeoutMs: 10_001 }, 'entry 1 timeoutMs must lie between'],
    ['FairPlay without an IV', { drm: 'fp' }, 'entry 1 iv must be given for fp'],
    ['a member that is not known', { [SECRET]: 1 }, 'entry 1 must not have members that are not known'],
  ])('are refused with %s', (_, change, problem) => {
    expect(problemsOf({ ...acme, ...change })).toEqual([expect.stringContaining(problem)]);
  });

  it('are one for each merchant, and every problem is told at once', () => {
    expect(problemsOf(acme, acme, { ...acme, merchantId: 'b', drm: 'x' })).toEqual(['entry 2 merchantId must be named once', 'entry 3 drm must be pr, wv or fp']);
  });

  it('are never shown in a problem', () => {
    const shown = [readTokenProviders(`[{"customerAuthenticator":"${SECRET}"`), read({ ...acme, customerAuthenticator: `${SECRET} ` }), read({ ...acme, [SECRET]: SECRET, iv: SECRET })];
    expect(shown.map(({ ok }) => ok)).toEqual([false, false, false]);
    expect(JSON.stringify(shown)).not.toContain('1ad8eed1');
  });
});

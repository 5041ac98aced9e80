import { describe, expect, it } from '@jest/globals';
import { readTokenAnswer } from './upstream-answer.js';

const TOKEN = 'AQAAABIDKbgAAABQbt68jktab0YRY-r9mo6VPVqDDvkHq78x4V9_AyBUTtcNFHw5';
const RIGHTS = 'https://wv.service.example/hms/wv/rights/';
const list = (body: string) => readTokenAnswer('wv', { status: 200, body });
const json = (body: object | string) => readTokenAnswer('pr', { status: 200, body: typeof body === 'string' ? body : JSON.stringify(body) });
const malformed = { kind: 'unavailable', why: 'malformed' };

describe('a token in a list of URIs', () => {
  it.each([
    ['alone', `${RIGHTS}?ExpressPlayToken=${TOKEN}`, RIGHTS],
    ['with the end of its line and a comment', `# one\r\n${RIGHTS}?ExpressPlayToken=${TOKEN}\r\n`, RIGHTS],
    ['beside another parameter', `${RIGHTS}?a=b&ExpressPlayToken=${TOKEN}`, `${RIGHTS}?a=b`],
    ['at a port of its own', `https://fp.service.example:80/hms/fp/rights/?ExpressPlayToken=${TOKEN}`, 'https://fp.service.example:80/hms/fp/rights/'],
    ['at this machine', `http://127.0.0.1:8080/hms/wv/rights/?ExpressPlayToken=${TOKEN}`, 'http://127.0.0.1:8080/hms/wv/rights/'],
  ])('%s', (_, body, licenseUrl) => {
    expect(list(body)).toEqual({ kind: 'token', token: TOKEN, licenseUrl });
  });

  it.each([
    ['nothing', ''],
    ['two', `${RIGHTS}?ExpressPlayToken=${TOKEN}\n${RIGHTS}?ExpressPlayToken=other`],
    ['no token', RIGHTS],
    ['two tokens', `${RIGHTS}?ExpressPlayToken=a&ExpressPlayToken=b`],
    ['an empty token', `${RIGHTS}?ExpressPlayToken=`],
    ['a token with a space', `${RIGHTS}?ExpressPlayToken=a%20b`],
    ['a token without end', `${RIGHTS}?ExpressPlayToken=${'a'.repeat(8_193)}`],
    ['plain http', `http://wv.service.example/?ExpressPlayToken=${TOKEN}`],
    ['another scheme', `javascript:x?ExpressPlayToken=${TOKEN}`],
    ['credentials', `https://someone@wv.service.example/?ExpressPlayToken=${TOKEN}`],
    ['HTML', '<html><body>sorry</body></html>'],
  ])('is not %s', (_, body) => {
    expect(list(body)).toEqual(malformed);
  });
});

describe('a token in JSON', () => {
  const good = { licenseAcquisitionUrl: 'https://licensing.example/LicensingService.ashx', token: TOKEN };

  it('comes with the URL that redeems it', () => {
    expect(json(good)).toEqual({ kind: 'token', token: TOKEN, licenseUrl: good.licenseAcquisitionUrl });
  });

  it('does not stand in that URL', () => {
    const licenseAcquisitionUrl = `${good.licenseAcquisitionUrl}?a=b&ExpressPlayToken=${TOKEN}`;
    expect(json({ ...good, licenseAcquisitionUrl })).toEqual({ kind: 'token', token: TOKEN, licenseUrl: `${good.licenseAcquisitionUrl}?a=b` });
  });

  it.each<[string, object | string]>([
    ['HTML', '<html>'],
    ['null', 'null'],
    ['a number', '1'],
    ['no token', { licenseAcquisitionUrl: good.licenseAcquisitionUrl }],
    ['a token that is none', { ...good, token: { a: 1 } }],
    ['a URL that is none', { ...good, licenseAcquisitionUrl: 'licensing.example' }],
    ['plain http', { ...good, licenseAcquisitionUrl: 'http://licensing.example/' }],
    ['a URL without end', { ...good, licenseAcquisitionUrl: `https://licensing.example/?${'a'.repeat(2_048)}` }],
  ])('is not %s', (_, body) => {
    expect(json(body)).toEqual(malformed);
  });
});

/** Answers as public documents of the reference record them, under the addresses where they do. */
const recorded = {
  // experienceleague.adobe.com …/multi-drm-workflows/package-license-play/licensing-widevine-client-key-expressplay-tokens
  wv: [
    'https://wv.service.expressplay.com/hms/wv/rights/?ExpressPlayToken=AQAAABIDKbgAAABQbt68jktab0YRY-r9mo6VPVqDDvkHq78x4V9_AyBUTtcNFHw5JtNKlKrMt-4HBdJ3Fopr7fqFSBpSJ4o-d8teAkUZUtW3Od5V-SHsCLnAlbFW84K71h2xNUiMAvRcUFBG3bjxMQ',
    'https://wv.service.expressplay.com/hms/wv/rights/',
  ],
  // experienceleague.adobe.com …/multi-drm-workflows, the FairPlay quick start
  fp: [
    'https://fp.service.expressplay.com:80/hms/fp/rights/?ExpressPlayToken=AQAAABNlKcEAAABQaTjshua3cWjG_Il3fvhf3g-CR1rnJKdtaVaAnhkfTCW0bWAU76YgwForbrXhD5tXUHhfP7FD1svvLPxN5qomYsnwYSSwcDq1ZnRtXunFLueTw6LAL52aZllMLasCSzYRMaAVHw',
    'https://fp.service.expressplay.com:80/hms/fp/rights/',
  ],
  // site.expressplay.cn/html/playready-apps.html
  pr: [
    '{"licenseAcquisitionUrl":"https://expressplay-licensing.axprod.net/LicensingService.ashx","token":"AQAAAAM7XMMAAABgi9a1RsqqtZFxW_b_xWsb3OH0E-8m6of-4ZYbZFDiG3cQNsUiZnA15T4C61Fx8Z2xJsUZpxFeHZg7zK6HGlA5bb7gLM9WxPKYF1TQPmICNvnJPkhkyyMz0yWqzEC_TzDgVcZ1MaSWIwtz3Ob-oVMDAKNa2oI"}',
    'https://expressplay-licensing.axprod.net/LicensingService.ashx',
  ],
} as const;

describe('what public documents record of the reference', () => {
  it.each(['wv', 'fp', 'pr'] as const)('is read: %s', (drm) => {
    const [body, licenseUrl] = recorded[drm];
    const token = /AQAAA[\w-]+/.exec(body)![0];
    expect(readTokenAnswer(drm, { status: 200, body })).toEqual({ kind: 'token', token, licenseUrl });
  });
});

describe('an answer without a token', () => {
  it.each([
    [400, '{"errorCode":-2017,"errorMessage":"not known"}', { kind: 'refused', status: 400, code: -2017 }],
    [401, '{"error":{"code":"-2018"}}', { kind: 'refused', status: 401, code: -2018 }],
    [400, '<html><h1>Error -5004</h1></html>', { kind: 'refused', status: 400, code: -5004 }],
    [400, '{"errorCode":-9412}', { kind: 'refused', status: 400, code: -9412 }],
    [400, 'on 2026-11-23 with 1-2345', { kind: 'refused', status: 400, code: undefined }],
    [404, '', { kind: 'refused', status: 404, code: undefined }],
    [408, '', { kind: 'unavailable', why: 'status', status: 408 }],
    [429, '', { kind: 'unavailable', why: 'status', status: 429 }],
    [500, '-2017', { kind: 'unavailable', why: 'status', status: 500 }],
    [503, '', { kind: 'unavailable', why: 'status', status: 503 }],
    [302, '', { kind: 'unavailable', why: 'redirect', status: 302 }],
    [204, '', { kind: 'unavailable', why: 'status', status: 204 }],
  ])('%s %s', (status, body, expected) => {
    expect(readTokenAnswer('wv', { status, body })).toEqual(expected);
  });
});

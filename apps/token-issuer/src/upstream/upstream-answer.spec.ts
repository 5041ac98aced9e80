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
    ['credentials', `https://u:p@wv.service.example/?ExpressPlayToken=${TOKEN}`],
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

  it.each<[string, object | string]>([
    ['HTML', '<html>'],
    ['null', 'null'],
    ['a number', '1'],
    ['no token', { licenseAcquisitionUrl: good.licenseAcquisitionUrl }],
    ['a token that is none', { ...good, token: { a: 1 } }],
    ['a URL that is none', { ...good, licenseAcquisitionUrl: 'licensing.example' }],
    ['plain http', { ...good, licenseAcquisitionUrl: 'http://licensing.example/' }],
  ])('is not %s', (_, body) => {
    expect(json(body)).toEqual(malformed);
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

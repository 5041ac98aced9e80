import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type ErrorCode, errorCodes, expressPlayCodeOf, expressPlayCodes, expressPlayEndpoints, Problem, requests, scopes, statusesOf } from '@latchkey/contracts';
import { authenticatorOf, generateApiKey } from '@latchkey/crypto';
import { AtEndpoint } from '../src/expressplay/at-endpoint.decorator.js';
import { gatewayService } from '../src/index.js';
import { Controller, Get, Module } from '@nestjs/common';
import { callEndpoint, refusalIn } from './expressplay-client.js';
import { goodCall } from './expressplay-samples.js';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const lines: string[] = [];
const gateway = new GatewayUnderTest({}, undefined, { write: (line) => lines.push(line) });
const { neighbours } = gateway;
const authenticator = authenticatorOf(gateway.key);
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
beforeEach(() => neighbours.reset());

const inPath = { kid: '^kid1' };
const valuesOf = (endpoint: (typeof expressPlayEndpoints)[number]) => ({ ...goodCall(endpoint), ...(endpoint.path.includes('{kid}') ? inPath : {}), errorFormat: 'json' });
const calls = expressPlayEndpoints.flatMap((endpoint) => endpoint.methods.map((method) => [method, endpoint.path, endpoint] as const));
const call = (path: string, init: RequestInit = {}): Promise<Response> => fetch(gateway.replica.url + path, init);
const bearer = { authorization: `Bearer ${gateway.key}` };
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const wvToken = new URLSearchParams(goodCall(expressPlayEndpoints.find(({ id, drm }) => id === 'token' && drm === 'wv')!) as Record<string, string>).toString();

describe('every endpoint', () => {
  it.each(calls)('%s %s needs its scope, and no other', async (method, _, endpoint) => {
    neighbours.refuse(requests.getStoredKeys, new Problem('unavailable'));
    const without = await gateway.makeKey('default', scopes.filter((scope) => scope !== endpoint.scope));
    const refused = await refusalIn('json', await callEndpoint(gateway.replica.url!, endpoint, valuesOf(endpoint), { method, authenticator: authenticatorOf(without) }));
    expect([refused.status, refused.code]).toEqual([403, -2018]);
    expect(neighbours.asked).toEqual([]);
    const alone = await gateway.makeKey('default', [endpoint.scope]);
    const letIn = await callEndpoint(gateway.replica.url!, endpoint, valuesOf(endpoint), { method, authenticator: authenticatorOf(alone) });
    expect([200, 201, 500, 503]).toContain(letIn.status);
    expect(neighbours.asked.length).toBeGreaterThan(0);
  });

  it.each(calls)('%s %s takes an API key as Bearer, and not two that differ', async (method, _, endpoint) => {
    const answer = await callEndpoint(gateway.replica.url!, endpoint, valuesOf(endpoint), { method, headers: bearer });
    expect((await refusalIn('json', answer)).code).toBe(-9500);
    expect(neighbours.asked.splice(0).length).toBeGreaterThan(0);
    const differing = await callEndpoint(gateway.replica.url!, endpoint, valuesOf(endpoint), { method, headers: bearer, authenticator: authenticatorOf(await gateway.makeKey()) });
    const { status, code } = await refusalIn('json', differing);
    expect([status, code, neighbours.asked]).toEqual([401, -2018, []]);
  });

  it.each(calls)('%s %s is of no use with a revoked key', async (method, _, endpoint) => {
    const revoked = await gateway.makeKey();
    await gateway.replica.dataSource.query('update api_keys set revoked_at = now() where key_id = $1', [revoked.split('_')[2]]);
    const { status, code } = await refusalIn('json', await callEndpoint(gateway.replica.url!, endpoint, valuesOf(endpoint), { method, authenticator: authenticatorOf(revoked) }));
    expect([status, code, neighbours.asked]).toEqual([401, -2018, []]);
  });

  it('does nothing on HEAD', async () => {
    for (const endpoint of expressPlayEndpoints.filter(({ methods }) => methods.includes('GET'))) {
      const query = new URLSearchParams(valuesOf(endpoint) as Record<string, string>).toString();
      const response = await call(`${endpoint.path.replace('{kid}', '^kid1')}?${query}`, { method: 'HEAD', headers: bearer });
      expect([endpoint.path, response.status, neighbours.asked]).toEqual([endpoint.path, 405, []]);
    }
  });

  it('is told of other methods', async () => {
    for (const [path, allow] of [['/hms/wv/token', 'GET, POST'], ['/hms/wv/rights/', 'GET, POST'], ['/cmiapi/getrecord/', 'GET'], ['/keystore/keys', 'POST, GET'], ['/keystore/keys/^a', 'GET, PUT, DELETE'], ['/sees/SEESServlet', 'POST']] as const) {
      const response = await call(`${path}?errorFormat=json`, { method: 'PATCH', headers: bearer });
      expect([path, response.headers.get('allow'), (await refusalIn('json', response)).code]).toEqual([path, allow, -9405]);
    }
  });
});

describe('what nobody serves', () => {
  it.each(['/hms', '/hms/xx/token', '/hms/wv/token/more', '/cmiapi/', '/keystore', '/sees/other'])('is told of in the manner of the surface: %s', async (path) => {
    for (const format of ['html', 'json'] as const) {
      const { status, code } = await refusalIn(format, await call(`${path}?errorFormat=${format}`));
      expect([status, code]).toEqual([404, -9404]);
    }
  });

  it('is told of elsewhere as ever', async () => {
    expect(await refusalOf(await call('/v1/nothing'))).toMatchObject({ status: 404, code: 'not-found' });
  });

  it('is a URL with a broken escape', async () => {
    expect((await refusalIn('json', await call('/keystore/keys/%zz?errorFormat=json', { headers: bearer }))).status).toBe(400);
  });
});

describe('a body', () => {
  it.each([
    ['of JSON where forms are taken', '/hms/wv/token', { 'content-type': 'application/json' }, '{}', 415],
    ['of text where forms are taken', '/hms/wv/token', { 'content-type': 'text/plain' }, 'a=b', 415],
    ['that is compressed', '/hms/wv/token', { ...FORM, 'content-encoding': 'gzip' }, 'a=b', 415],
    ['that is a form where JSON is taken', '/sees/SEESServlet', FORM, 'a=b', 415],
    ['that is a form where JSON is taken', '/keystore/keys', FORM, 'a=b', 415],
    ['that is too large', '/hms/wv/token', FORM, `a=${'b'.repeat(65_536)}`, 413],
    ['that is no JSON', '/sees/SEESServlet', { 'content-type': 'application/json' }, '{', 400],
    ['that is no object', '/keystore/keys?kek=000102030405060708090a0b0c0d0e0f', { 'content-type': 'application/json' }, '[]', 400],
    ['that is no object', '/keystore/keys?kek=000102030405060708090a0b0c0d0e0f', { 'content-type': 'application/json' }, 'null', 400],
    ['with a member twice', '/keystore/keys', { 'content-type': 'application/json' }, '{"kid":"^a","kid":"^b"}', 400],
  ])('%s is refused: %s', async (_, path, headers, body, status) => {
    for (const format of ['html', 'json'] as const) {
      const answer = await refusalIn(format, await call(`${path}${path.includes('?') ? '&' : '?'}errorFormat=${format}`, { method: 'POST', headers: { ...bearer, ...headers }, body }));
      expect([answer.status, neighbours.asked]).toEqual([status, []]);
    }
  });

  it('that is a form is refused everywhere else', async () => {
    expect(await refusalOf(await call('/v1/cookies', { method: 'POST', headers: { ...bearer, ...FORM }, body: 'accountId=alice' }))).toMatchObject({ status: 415 });
    expect(await refusalOf(await call('/v1/cookies', { method: 'POST', headers: FORM, body: 'accountId=alice' }))).toMatchObject({ status: 401 });
  });

  it('is not waited for where the call cannot be let in by it', async () => {
    const { hostname, port } = new URL(gateway.replica.url!);
    for (const [path, type] of [['/sees/SEESServlet', 'application/json'], ['/hms/wv/token', 'text/plain'], [`/hms/wv/token?customerAuthenticator=${authenticatorOf(generateApiKey('test'))}`, FORM['content-type']]]) {
      const socket = connect(Number(port), hostname);
      socket.write(`POST ${path} HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: ${type}\r\ncontent-length: 20\r\nconnection: close\r\n\r\n`);
      expect(await text(socket)).toMatch(/^HTTP\/1\.1 401 /);
    }
  });
});

describe('a path that is spelled in another way', () => {
  it.each([
    ['with escapes', '/%68ms/wv/token'],
    ['with escapes further on', '/hms/wv/%74oken/'],
    ['with a host before it', 'http://latchkey.example/hms/wv/token'],
  ])('%s is asked for the same, and refused in the same manner', async (_, path) => {
    const { hostname, port } = new URL(gateway.replica.url!);
    const socket = connect(Number(port), hostname);
    socket.write(`GET ${path}?errorFormat=json HTTP/1.1\r\nhost: ${hostname}\r\nconnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 401 /);
    expect(answer).toContain('"errorCode":-2017');
  });
});

describe('a refusal of a service', () => {
  it.each(Object.keys(errorCodes) as ErrorCode[])('has its code here: %s', async (problem) => {
    neighbours.answer(requests.adoptCookie, () => {
      throw new Problem(problem, { status: statusesOf(problem).at(-1), retryAfterSeconds: problem === 'unavailable' || problem === 'rate-limited' ? 7 : undefined });
    });
    for (const format of ['html', 'json'] as const) {
      const response = await call(`/hms/wv/token?${wvToken}&errorFormat=${format}`, { headers: bearer });
      const code = expressPlayCodeOf[problem];
      expect(response.headers.get('retry-after')).toBe(problem === 'unavailable' || problem === 'rate-limited' ? '7' : null);
      const status = problem === 'forbidden' ? 403 : expressPlayCodes[`${code}`].status;
      expect(await refusalIn(format, response)).toMatchObject({ status, code });
    }
  });
});

describe('wrong authenticators', () => {
  it('are limited, in the manner of the surface, and harm nobody else', async () => {
    const limited = await gateway.startReplica({ LATCHKEY_FAILED_LOOKUPS_BURST: '2', LATCHKEY_FAILED_LOOKUPS_PER_MINUTE: '1' });
    const ask = (who: string, format = 'json'): Promise<Response> => fetch(`${limited.url}/cmiapi/getrecord/?customerAuthenticator=${who}&errorFormat=${format}`);
    const wrong = authenticatorOf(generateApiKey('test'));
    expect([(await ask(wrong)).status, (await ask('malformed')).status]).toEqual([401, 401]);
    for (const format of ['html', 'json'] as const) {
      const response = await ask(wrong, format);
      expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await refusalIn(format, response)).toMatchObject({ status: 429, code: -9429 });
    }
    neighbours.answer(requests.listRecords, () => ({ records: [] }));
    expect((await ask(authenticator)).status).toBe(200);
    await gateway.stopReplica(limited);
  });
});

describe('unknown cookies', () => {
  it.each([
    ['records', 'GET', {}, 200],
    ['token', 'POST', { deviceId: 'ab'.repeat(16) }, 400],
    ['entitlement', 'POST', {}, 200],
  ] as const)('are limited for the merchant that asks for them: %s', async (id, method, more, status) => {
    const limited = await gateway.startReplica({ LATCHKEY_FAILED_LOOKUPS_BURST: '2', LATCHKEY_FAILED_LOOKUPS_PER_MINUTE: '1' });
    for (const contract of [requests.getDeviceRecord, requests.issueCorrelatedToken, requests.getContentToken]) neighbours.refuse(contract, new Problem('cookie-unknown'));
    const endpoint = expressPlayEndpoints.find((each) => each.id === id && each.drm !== 'wv')!;
    const ask = (): Promise<Response> => callEndpoint(limited.url!, endpoint, { ...valuesOf(endpoint), ...(id === 'records' ? { cookie: 'biscuit' } : {}), ...more }, { method, authenticator });
    for (let time = 0; time < 2; time += 1) expect((await ask()).status).toBe(status);
    expect(await refusalIn('json', await ask())).toMatchObject({ status: 429, code: -9429 });
    await gateway.stopReplica(limited);
  });
});

describe('a DRM that binds no devices', () => {
  it.each([['wv', -7002], ['fp', -6008]] as const)('is told so: %s', async (drm, expected) => {
    const endpoint = expressPlayEndpoints.find((each) => each.id === 'token' && each.drm === drm)!;
    for (const format of ['html', 'json'] as const) {
      for (const deviceId of ['ab'.repeat(20), 'ab'.repeat(16), 'a device id', '']) {
        const values = { ...valuesOf(endpoint), errorFormat: format, deviceId };
        const { status, code } = await refusalIn(format, await callEndpoint(gateway.replica.url!, endpoint, values, { method: 'GET', authenticator }));
        expect([format, deviceId, status, code, neighbours.asked]).toEqual([format, deviceId, 400, expected, []]);
      }
    }
  });

  it('may be PlayReady too', async () => {
    const replica = await gateway.startReplica({ LATCHKEY_EXPRESSPLAY_BINDING: 'none' });
    const endpoint = expressPlayEndpoints.find((each) => each.id === 'token' && each.drm === 'pr')!;
    const answer = await callEndpoint(replica.url!, endpoint, { ...valuesOf(endpoint), deviceId: 'ab'.repeat(16) }, { method: 'GET', authenticator });
    expect((await refusalIn('json', answer)).code).toBe(-5005);
    await gateway.stopReplica(replica);
  });
});

@Controller()
class Unlisted {
  @Get('/hms/unlisted')
  @AtEndpoint('records', 'GET')
  show(): string {
    return 'what nobody may see';
  }
}

@Module({ imports: [gatewayService.module], controllers: [Unlisted] })
class WithUnlisted {}

describe('a method that stands in no table', () => {
  const forgetful = new GatewayUnderTest({}, { ...gatewayService, module: WithUnlisted });
  beforeAll(() => forgetful.start());
  afterAll(() => forgetful.stop());

  it('is open to nobody', async () => {
    for (const key of [null, forgetful.key]) expect(await refusalIn('html', await forgetful.call('GET', '/hms/unlisted', { key }))).toMatchObject({ status: 500, code: -9500 });
  });
});

import { FakeDevice } from '@latchkey/kits';
import { generateSigningKey } from '@latchkey/crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bench, contentToken, insertSigningKey, openBenchWithReplica, type Replica } from './bench.js';

const PAGE = 'https://player.example';
let bench: Bench & { replica: Replica };
let route: string;

beforeAll(async () => {
  bench = await openBenchWithReplica({ LATCHKEY_CORS_ORIGINS: PAGE });
  route = `${bench.replica.url}/v1/licenses`;
});
afterAll(async () => bench?.close());

describe('nonces', () => {
  it('are on every answer of the route, also before its body is read', async () => {
    const tooLong = await fetch(route, { method: 'POST', body: ' '.repeat(70_000) });
    const wrongMethod = await fetch(route);
    const refused = await fetch(route, { method: 'POST' });
    expect([tooLong.status, wrongMethod.status, refused.status]).toEqual([413, 405, 401]);
    for (const { headers } of [tooLong, wrongMethod, refused]) {
      expect(headers.get('dpop-nonce')).toMatch(/^[\w-]{29,30}$/);
      expect(headers.get('cache-control')).toBe('no-store');
    }
    const tokens = `${bench.replica.url}/v1/device/tokens`;
    const [unproven, posted] = [await fetch(tokens), await fetch(tokens, { method: 'POST' })];
    expect([unproven.status, posted.status]).toEqual([401, 405]);
    for (const { headers } of [unproven, posted]) expect([headers.get('dpop-nonce'), headers.get('cache-control')]).toEqual([expect.stringMatching(/^[\w-]{29,30}$/), 'no-store']);
    expect((await fetch(`${bench.replica.url}/v1/other`)).headers.get('dpop-nonce')).toBeNull();
  });

  it('of one replica are good at another, again and again, and not with other KEKs', async () => {
    const second = await bench.start();
    const stranger = await bench.start({ LATCHKEY_KEK: Buffer.alloc(32, 8).toString('base64') });
    const device = new FakeDevice();
    const token = contentToken(bench, device);
    const nonceOf = async (replica: Replica): Promise<string> => (await fetch(`${replica.url}/v1/licenses`, { method: 'POST' })).headers.get('dpop-nonce')!;
    const nonce = await nonceOf(second);
    for (let time = 0; time < 2; time += 1) expect((await bench.replica.ask(device, { token, nonce })).status).toBe(200);
    expect((await bench.replica.ask(device, { token, nonce: await nonceOf(stranger) })).body.code).toBe('use-dpop-nonce');
    await second.stop();
    await stranger.stop();
  });

  it('survive a new KEK in front of the old one', async () => {
    const kek = `k2:${Buffer.alloc(32, 9).toString('base64')},k1:${Buffer.alloc(32, 7).toString('base64')}`;
    const rotated = await bench.start({ LATCHKEY_KEK: kek });
    const device = new FakeDevice();
    const nonce = (await fetch(route, { method: 'POST' })).headers.get('dpop-nonce');
    expect((await rotated.ask(device, { token: contentToken(bench, device), nonce })).status).toBe(200);
    await rotated.stop();
  });
});

describe('CORS', () => {
  const headersOf = async (init: RequestInit, url = route): Promise<[number, Headers]> => {
    const response = await fetch(url, init);
    return [response.status, response.headers];
  };
  const preflight = { method: 'OPTIONS', headers: { origin: PAGE, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,dpop' } };

  it('lets a page of a listed origin ask, and read nonce and challenge, also of a refusal', async () => {
    const [status, allowed] = await headersOf(preflight);
    expect(status).toBe(204);
    expect(allowed.get('access-control-allow-origin')).toBe(PAGE);
    expect(allowed.get('access-control-allow-headers')).toBe('Authorization, DPoP, Content-Type');
    for (const body of ['', ' '.repeat(70_000)]) {
      const [, refused] = await headersOf({ method: 'POST', headers: { origin: PAGE }, body });
      expect(refused.get('access-control-allow-origin')).toBe(PAGE);
      expect(refused.get('access-control-expose-headers')).toBe('DPoP-Nonce, WWW-Authenticate, Retry-After, Date');
      expect(refused.get('vary')).toBe('Origin');
    }
  });

  it('lets no other page', async () => {
    const origin = 'https://other.example';
    const [, allowed] = await headersOf({ ...preflight, headers: { ...preflight.headers, origin } });
    const [, refused] = await headersOf({ method: 'POST', headers: { origin } });
    expect([allowed.get('access-control-allow-origin'), refused.get('access-control-allow-origin')]).toEqual([null, null]);
  });

  it('is for what pages ask for, not for health', async () => {
    const [, jwks] = await headersOf({ headers: { origin: PAGE } }, `${bench.replica.url}/.well-known/jwks.json`);
    const [, health] = await headersOf({ headers: { origin: PAGE } }, `${bench.replica.url}/health/live`);
    expect([jwks.get('access-control-allow-origin'), health.get('access-control-allow-origin')]).toEqual([PAGE, null]);
  });
});

describe('the key set', () => {
  it('holds the public half of every key that was published', async () => {
    const key = generateSigningKey();
    await insertSigningKey(bench, key);
    const response = await fetch(`${bench.replica.url}/.well-known/jwks.json`);
    const { keys } = (await response.json()) as { keys: unknown[] };
    const { kty, crv, x, y } = key.publicJwk;
    expect(keys).toHaveLength(2);
    expect(keys).toContainEqual({ kty, crv, x, y, kid: key.keyId, alg: 'ES256', use: 'sig' });
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
  });
});

describe('behind a shared server', () => {
  it('answers the same', async () => {
    const server = createServer((request, response) => bench.replica.handle(request, response));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const device = new FakeDevice();
    const answer = await bench.replica.ask(device, { token: contentToken(bench, device), sendTo: `http://127.0.0.1:${port}/v1/licenses` });
    expect([answer.status, answer.headers.get('dpop-nonce')]).toEqual([200, expect.any(String)]);
    const chunked = httpRequest({ port, method: 'POST', path: '/v1/licenses', headers: { 'transfer-encoding': 'chunked' } });
    chunked.end();
    const [response] = (await once(chunked, 'response')) as [import('node:http').IncomingMessage];
    expect(response.statusCode).toBe(401);
    response.destroy();
    server.close();
  });
});

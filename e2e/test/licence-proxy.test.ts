import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer, json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { freePort, startProcess, type StartedProcess } from '@latchkey/kits';
import { base64url } from './merchant.js';

jest.setTimeout(60_000);

const kid = '00112233445566778899aabbccddeeff';
const other = 'ffeeddccbbaa99887766554433221100';
const TOKEN = 'a.secret.token';
const API_KEY = 'lk_test_key1_secret';

/** What came to a server, and how it answers. */
interface Fake {
  readonly server: Server;
  readonly asked: { readonly url: string | undefined; readonly authorization: string | undefined; readonly kids: string | undefined; readonly body: Buffer }[];
  answer: (body: Buffer) => Promise<{ status: number; body: string | Uint8Array; headers?: Record<string, string> }>;
}

const fakes: Fake[] = [];
const proxies: StartedProcess[] = [];
let latchkey: Fake;
let upstream: Fake;
let proxy: string;

async function startFake(): Promise<Fake> {
  const fake: Fake = {
    server: createServer((incoming, response) => {
      void (async () => {
        const body = await buffer(incoming);
        const { authorization, 'x-latchkey-kids': kids } = incoming.headers;
        fake.asked.push({ url: incoming.url, authorization, kids: kids as string | undefined, body });
        const answer = await fake.answer(body);
        response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
      })();
    }),
    asked: [],
    answer: async () => ({ status: 500, body: '' }),
  };
  await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
  fakes.push(fake);
  return fake;
}
const urlOf = ({ server }: Fake): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

/** Starts the example as its reader would, in a process of its own; resolves to its address. */
async function startProxy(environment: Record<string, string> = {}): Promise<string> {
  const port = await freePort();
  const started = await startProcess({
    entry: 'examples/licence-proxy.mjs',
    env: { LATCHKEY_URL: urlOf(latchkey), LATCHKEY_API_KEY: API_KEY, UPSTREAM_URL: `${urlOf(upstream)}/licence`, PORT: String(port), ...environment },
  });
  proxies.push(started);
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 200; tries += 1) {
    if (started.stdout().includes(url)) return url;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`the proxy does not listen: ${started.stderr()}`);
}

beforeAll(async () => {
  [latchkey, upstream] = await Promise.all([startFake(), startFake()]);
  proxy = await startProxy();
});
afterAll(async () => {
  for (const started of proxies) await started.stop();
  for (const { server } of fakes) {
    server.closeAllConnections();
    server.close();
  }
});
const licence = JSON.stringify({ keys: [{ kty: 'oct', kid: base64url(kid), k: base64url(other) }], type: 'temporary' });
beforeEach(() => {
  latchkey.asked.length = upstream.asked.length = 0;
  latchkey.answer = async () => ({ status: 200, body: JSON.stringify({ allow: true, tokenId: 'tok_1', kids: [kid], rights: { type: 'purchase' } }) });
  upstream.answer = async () => ({ status: 200, body: licence });
});

const clearKey = JSON.stringify({ kids: [base64url(kid)], type: 'temporary' });
const ask = (options: { at?: string; body?: string | Uint8Array<ArrayBuffer>; headers?: Record<string, string>; method?: string } = {}): Promise<Response> => {
  const { at = proxy, body = clearKey, headers = {}, method = 'POST' } = options;
  return fetch(at, { method, headers: { authorization: `Bearer ${TOKEN}`, 'x-device-id': 'device-1', ...headers }, ...(method === 'POST' && { body }) });
};
const codeOf = async (response: Response): Promise<[number, unknown]> => [response.status, ((await response.json()) as { code: unknown }).code];

describe('the reference proxy', () => {
  it('asks Latchkey with what the player sent, and passes the licence through', async () => {
    const response = await ask();
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control'), await response.text()]).toEqual([200, 'application/json', 'no-store', licence]);
    expect(latchkey.asked).toMatchObject([{ url: '/v1/licenses/verify', authorization: `Bearer ${API_KEY}` }]);
    expect(JSON.parse(latchkey.asked[0]!.body.toString())).toEqual({ token: TOKEN, deviceId: 'device-1', drm: 'other', kids: [kid] });
    expect(upstream.asked).toMatchObject([{ url: '/licence', authorization: undefined, kids: kid }]);
    expect(upstream.asked[0]!.body.toString()).toBe(clearKey);
  });

  it('passes on what Latchkey has read and nothing else, however a request may be read twice', async () => {
    const twice = `{"kids":["${base64url(other)}"],"type":"temporary","kids":["${base64url(kid)}"]}`;
    expect((await ask({ body: twice })).status).toBe(200);
    expect(upstream.asked[0]!.body.toString()).toBe(clearKey);
  });

  it('passes a DRM’s own request through as it is, says which kids are allowed, and passes a refusal of its server back', async () => {
    const widevine = await startProxy({ DRM: 'widevine' });
    const challenge = Buffer.from([8, 1, 0xff, 0, 0xfe]);
    upstream.answer = async () => ({ status: 403, body: challenge, headers: { 'content-type': 'application/x-vendor' } });
    const response = await ask({ at: widevine, body: challenge });
    expect([response.status, response.headers.get('content-type'), Buffer.from(await response.arrayBuffer())]).toEqual([403, 'application/x-vendor', challenge]);
    expect(JSON.parse(latchkey.asked[0]!.body.toString())).toEqual({ token: TOKEN, deviceId: 'device-1', drm: 'widevine' });
    expect([upstream.asked[0]!.kids, upstream.asked[0]!.body]).toEqual([kid, challenge]);
  });

  it('binds with a registration token, and asks for no licence', async () => {
    latchkey.answer = async () => ({ status: 200, body: JSON.stringify({ allow: true, tokenId: 'reg_1', kids: [] }) });
    expect((await ask({ body: '' })).status).toBe(204);
    expect(upstream.asked).toEqual([]);
  });

  it.each(['device-mismatch', 'device-revoked', 'kid-not-in-token'])('answers 403 with the code where Latchkey says %s', async (code) => {
    latchkey.answer = async () => ({ status: 200, body: JSON.stringify({ allow: false, code }) });
    expect(await codeOf(await ask())).toEqual([403, code]);
    expect(upstream.asked).toEqual([]);
  });

  const allowed = { allow: true, tokenId: 'tok_1', kids: [kid] };
  it.each<[string, Awaited<ReturnType<Fake['answer']>>]>([
    ['503', { status: 503, body: JSON.stringify({ code: 'unavailable' }) }],
    ['500 with an allowance', { status: 500, body: JSON.stringify(allowed) }],
    ['401', { status: 401, body: JSON.stringify({ code: 'unauthenticated' }) }],
    ['201 with an allowance', { status: 201, body: JSON.stringify(allowed) }],
    ['what is no JSON', { status: 200, body: 'allow' }],
    ['null', { status: 200, body: 'null' }],
    ['an allowance in words', { status: 200, body: JSON.stringify({ ...allowed, allow: 'true' }) }],
    ['an allowance of nothing in particular', { status: 200, body: JSON.stringify({ allow: true }) }],
    ['with a redirection', { status: 307, body: '', headers: { location: '/elsewhere' } }],
  ])('answers 503 where Latchkey answers %s, and asks for no licence', async (_, answer) => {
    latchkey.answer = async () => answer;
    const response = await ask();
    expect(response.headers.get('retry-after')).toBe('1');
    expect(await codeOf(response)).toEqual([503, 'unavailable']);
    expect(upstream.asked).toEqual([]);
  });

  it('answers 503 where Latchkey is away, or silent, and asks for no licence', async () => {
    const alone = await startProxy({ LATCHKEY_URL: `http://127.0.0.1:${await freePort()}` });
    expect(await codeOf(await ask({ at: alone }))).toEqual([503, 'unavailable']);
    latchkey.answer = () => new Promise(() => undefined);
    expect(await codeOf(await ask())).toEqual([503, 'unavailable']);
    expect(upstream.asked).toEqual([]);
  });

  it('answers 502 where the licence server is away', async () => {
    const alone = await startProxy({ UPSTREAM_URL: `http://127.0.0.1:${await freePort()}` });
    expect(await codeOf(await ask({ at: alone }))).toEqual([502, 'upstream-unavailable']);
  });

  it.each<[string, Parameters<typeof ask>[0], number]>([
    ['no POST', { method: 'GET' }, 405],
    ['no token', { headers: { authorization: '' } }, 401],
    ['a token in another scheme', { headers: { authorization: `Basic ${TOKEN}` } }, 401],
    ['no device id', { headers: { 'x-device-id': '' } }, 400],
    ['no JSON where it must name kids', { body: '{' }, 400],
    ['no kids', { body: '{"kids":[7]}' }, 400],
    ['a body that is too large', { body: 'x'.repeat(65_537) }, 413],
  ])('refuses a request with %s', async (_, options, status) => {
    latchkey.answer = async (body) => (body.includes('"deviceId":""') ? { status: 400, body: '{"code":"invalid-request"}' } : { status: 200, body: JSON.stringify(allowed) });
    expect((await codeOf(await ask(options)))[0]).toBe(status);
    expect(upstream.asked).toEqual([]);
  });

  it('takes no token of which there are two', async () => {
    const answered = await new Promise<unknown>((resolve, reject) => {
      const call = request(proxy, { method: 'POST', headers: ['host', new URL(proxy).host, 'authorization', `Bearer ${TOKEN}`, 'authorization', 'Bearer x', 'x-device-id', 'device-1'] }, (answer) => void json(answer).then((body) => resolve([answer.statusCode, body])));
      call.on('error', reject).end(clearKey);
    });
    expect(answered).toEqual([401, { code: 'unauthenticated' }]);
  });

  it('says what it did, and never a token, a key or a device', () => {
    const printed = proxies.map(({ stdout, stderr }) => stdout() + stderr()).join('');
    expect(printed).toMatch(/"status":403,"code":"device-mismatch"/);
    for (const secret of [TOKEN, API_KEY, 'device-1']) expect(printed).not.toContain(secret);
  });
});

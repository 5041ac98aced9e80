import { describe, expect, it } from '@jest/globals';
import { createDevice, dashJsAdapter, type DashLicenseRequest, emeAdapter, hlsJsAdapter, memoryStore, shakaAdapter, type ShakaRequest, type ShakaRetryEvent } from '../src/index.js';
import { refusal, type Scripted, scriptedServer } from './scripted-server.js';

const licenseUrl = 'https://play.example/v1/licenses';
const unproven = refusal(401, 'unauthenticated', { 'DPoP-Nonce': 'first' });
const license = { keys: [], type: 'temporary' };
const [MANIFEST, LICENSE] = [0, 2];

async function deviceOf(...script: Scripted[]) {
  const { fetch, received } = scriptedServer(...script);
  return { device: await createDevice({ store: memoryStore(), fetch, licenseUrl }), received };
}

function claimsOf({ DPoP: proof }: Readonly<Record<string, string>>): Record<string, unknown> {
  return JSON.parse(Buffer.from(proof!.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
}

describe('in Shaka Player', () => {
  type Filter = (type: number, request: ShakaRequest) => Promise<void>;

  async function engineOf(token: string | (() => string)) {
    const { device } = await deviceOf(unproven);
    const engine: { filter?: Filter; answered?: (type: number, response: { headers: Record<string, string> }) => void; retry?: (event: ShakaRetryEvent) => void } = {};
    shakaAdapter(
      device,
      {
        registerRequestFilter: (filter) => (engine.filter = filter),
        registerResponseFilter: (filter) => (engine.answered = filter),
        addEventListener: (_, listener) => (engine.retry = listener),
      },
      token,
    );
    const attempt = async (type: number): Promise<Record<string, string>> => {
      const request: ShakaRequest = { uris: [licenseUrl], headers: {}, attempt: 0 };
      await engine.filter!(type, request);
      return request.headers;
    };
    /** Whether Shaka Player would try again after this answer. */
    const triesAgain = (data: readonly unknown[] | undefined): boolean => {
      let prevented = false;
      engine.retry!({ error: data && { data }, preventDefault: () => (prevented = true) });
      return !prevented;
    };
    return { attempt, triesAgain, answered: engine.answered! };
  }

  it('licence requests are proven, each attempt anew, and no other request is touched', async () => {
    let token = 'one';
    const { attempt, answered } = await engineOf(() => token);
    expect(await attempt(MANIFEST)).toEqual({});
    const first = await attempt(LICENSE);
    expect([first['Authorization'], claimsOf(first)]).toMatchObject(['DPoP one', { htm: 'POST', htu: licenseUrl, nonce: 'first' }]);
    answered(MANIFEST, { headers: { 'dpop-nonce': 'of a manifest' } });
    answered(LICENSE, { headers: { 'dpop-nonce': 'second' } });
    token = 'two';
    const next = await attempt(LICENSE);
    expect([next['Authorization'], claimsOf(next)['nonce']]).toEqual(['DPoP two', 'second']);
    expect(claimsOf(next)['jti']).not.toBe(claimsOf(first)['jti']);
  });

  it('a nonce that is wanted is taken from the retry event', async () => {
    const { attempt, triesAgain } = await engineOf('t');
    await attempt(LICENSE);
    expect(triesAgain([licenseUrl, 401, '{"code":"use-dpop-nonce"}', { 'dpop-nonce': 'wanted' }, LICENSE, licenseUrl])).toBe(true);
    expect(claimsOf(await attempt(LICENSE))['nonce']).toBe('wanted');
  });

  it.each([
    [401, 'invalid-token', LICENSE, false],
    [403, 'device-revoked', LICENSE, false],
    [400, 'invalid-request', LICENSE, false],
    [429, 'rate-limited', LICENSE, true],
    [503, 'unavailable', LICENSE, true],
    [403, 'whatever', 1, true],
  ])('an answer %i %s to a request of type %i is tried again: %j', async (status, code, type, again) => {
    const { triesAgain } = await engineOf('t');
    expect(triesAgain([licenseUrl, status, `{"code":"${code}"}`, {}, type, licenseUrl])).toBe(again);
  });

  it('a request that nobody answered is tried again', async () => {
    const { triesAgain } = await engineOf('t');
    expect([triesAgain([licenseUrl, new Error('away'), LICENSE]), triesAgain(undefined)]).toEqual([true, true]);
  });
});

it('in dash.js licence requests are proven, with a nonce from the start, and sent without cookies', async () => {
  const { device } = await deviceOf(unproven);
  const filters: { request?: (request: DashLicenseRequest) => Promise<void>; response?: (response: { headers: Record<string, string> }) => Promise<void> } = {};
  dashJsAdapter(device, { registerLicenseRequestFilter: (filter) => (filters.request = filter), registerLicenseResponseFilter: (filter) => (filters.response = filter) }, 't');
  const ask = async (): Promise<DashLicenseRequest> => {
    const request = { url: licenseUrl, headers: { 'Content-Type': 'application/json' }, withCredentials: true };
    await filters.request!(request);
    return request;
  };
  const first = await ask();
  expect(first).toMatchObject({ withCredentials: false, headers: { Authorization: 'DPoP t', 'Content-Type': 'application/json' } });
  expect(claimsOf(first.headers)).toMatchObject({ htu: licenseUrl, nonce: 'first' });
  await filters.response!({ headers: { 'dpop-nonce': 'second' } });
  expect(claimsOf((await ask()).headers)['nonce']).toBe('second');
});

it('in hls.js licence requests are opened and proven, with a nonce from the start, and the licence is handed on', async () => {
  const { device } = await deviceOf(unproven);
  const { licenseXhrSetup, licenseResponseCallback } = hlsJsAdapter(device, () => 't');
  const xhrOf = (readyState: number) => {
    const xhr = { opened: [] as unknown[], headers: {} as Record<string, string>, readyState, response: new ArrayBuffer(1) };
    return Object.assign(xhr, {
      open: (...parts: unknown[]) => void xhr.opened.push(parts),
      setRequestHeader: (name: string, value: string) => void (xhr.headers[name] = value),
      getResponseHeader: (name: string) => (name.toLowerCase() === 'dpop-nonce' ? 'second' : null),
    });
  };
  const [first, opened] = [xhrOf(0), xhrOf(1)];
  await licenseXhrSetup(first, licenseUrl);
  expect([first.opened, first.headers['Authorization'], claimsOf(first.headers)]).toMatchObject([[['POST', licenseUrl, true]], 'DPoP t', { htu: licenseUrl, nonce: 'first' }]);
  expect(licenseResponseCallback(first, licenseUrl)).toBe(first.response);
  await licenseXhrSetup(opened, licenseUrl);
  expect([opened.opened, claimsOf(opened.headers)['nonce']]).toEqual([[], 'second']);
});

describe('with bare EME', () => {
  async function sessionOf(...script: Scripted[]) {
    const { device, received } = await deviceOf(...script);
    let message: ((event: { message: ArrayBuffer }) => void) | undefined;
    const outcome = new Promise<unknown>((resolve) => {
      const session = { addEventListener: (_: 'message', listener: typeof message) => (message = listener), update: async (response: BufferSource) => resolve(JSON.parse(new TextDecoder().decode(response))) };
      emeAdapter(device, session, 't', resolve);
    });
    const { buffer } = new TextEncoder().encode('{"kids":["x"],"type":"temporary"}');
    message!({ message: buffer });
    return { outcome: await outcome, received };
  }

  it('a message is sent as it is, and the session updated with the licence', async () => {
    const { outcome, received } = await sessionOf({ status: 200, body: license });
    expect([outcome, received]).toMatchObject([license, [{ body: '{"kids":["x"],"type":"temporary"}' }]]);
  });

  it('a refusal is heard', async () => {
    expect((await sessionOf(refusal(403, 'rental-expired'))).outcome).toMatchObject({ code: 'rental-expired', action: 'buy-again' });
  });
});

import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { withDeadline } from '@latchkey/messaging';
import { ConstantBackoff } from 'cockatiel';
import type { ServerResponse } from 'node:http';
import { ExpressPlayClient } from '../src/upstream/expressplay-client.js';
import type { TokenProvider } from '../src/upstream/token-providers.js';
import { type AccountOptions, UpstreamAccount } from '../src/upstream/upstream-account.js';
import { UpstreamStub } from './upstream-stub.js';

const AUTHENTICATOR = '201722,1ad8eed133edf43cbcc185f0236828ae';
const DEVICE = 'ab'.repeat(16);
let stub: UpstreamStub;
const form = () => new URLSearchParams({ customerAuthenticator: AUTHENTICATOR, cookie: 'cookie-1' });

function providerOf(change: Partial<TokenProvider> = {}): TokenProvider {
  const urls = { tokenUrl: new URL('/hms/pr/token', stub.origin), recordUrl: new URL('/cmiapi/getrecord/', stub.origin) };
  return { merchantId: 'acme', drm: 'pr', ...urls, customerAuthenticator: AUTHENTICATOR, timeoutMs: 2_000, securityLevel: 1, hdcpOutputControl: 0, ...change };
}
const client = (change: Partial<TokenProvider> = {}) => new ExpressPlayClient(providerOf(change));
const account = (options: AccountOptions = {}, change: Partial<TokenProvider> = {}) => new UpstreamAccount(client(change), options);
/** Writes without ending. */
const begin = (response: ServerResponse, text: string) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.write(text);
};

beforeAll(async () => {
  stub = await UpstreamStub.start();
});
afterEach(() => {
  stub.recover();
  stub.asked.length = 0;
});
afterAll(() => stub.stop());

describe('the client of a provider', () => {
  it('asks for a token with everything in the form and nothing in the URL', async () => {
    expect(await client().token(form())).toMatchObject({ kind: 'token', licenseUrl: 'https://licensing.example/LicensingService.ashx' });
    expect(stub.asked).toEqual([{ method: 'POST', path: '/hms/pr/token', query: new URLSearchParams(), form: form() }]);
  });

  it('asks for a record by cookie', async () => {
    expect(await client().record('a+b/c=')).toEqual({ kind: 'none' });
    stub.devices.set('a+b/c=', DEVICE.toUpperCase());
    expect(await client().record('a+b/c=')).toEqual({ kind: 'device', deviceId: DEVICE });
    expect(stub.asked[0]).toMatchObject({ method: 'GET', query: new URLSearchParams({ customerAuthenticator: AUTHENTICATOR, cookie: 'a+b/c=', errorFormat: 'json' }) });
  });

  it('reads the list of URIs that other DRMs are answered with', async () => {
    const answer = await client({ drm: 'wv', tokenUrl: new URL('/hms/wv/token', stub.origin) }).token(form());
    expect(answer).toEqual({ kind: 'token', token: stub.given.at(-1), licenseUrl: 'https://rights.example/hms/wv/rights/' });
  });

  it.each<[string, (response: ServerResponse) => void, object]>([
    ['no answer', () => undefined, { why: 'timeout' }],
    ['an answer that does not end', (response) => begin(response, '{"token":'), { why: 'timeout' }],
    ['a connection that breaks', (response) => void response.destroy(), { why: 'network' }],
    ['an answer that breaks', (response) => (begin(response, '{"token":'), setImmediate(() => response.destroy())), { why: 'network' }],
    ['an answer without measure', (response) => (begin(response, ' '.repeat(300 * 1024)), response.end()), { why: 'too-large', status: 200 }],
    ['a redirect', (response) => void response.writeHead(307, { location: `${stub.origin}/elsewhere` }).end(), { why: 'redirect', status: 307 }],
    ['HTML', (response) => void response.end('<html>down for maintenance</html>'), { why: 'malformed' }],
    ['bytes', (response) => void response.end(Buffer.from([0xff, 0x00, 0xfe])), { why: 'malformed' }],
    ['too many requests', (response) => void response.writeHead(429).end(), { why: 'status', status: 429 }],
    ['an error of its own', (response) => void response.writeHead(502).end('-2017'), { why: 'status', status: 502 }],
  ])('says that it is unavailable after %s', async (_, answer, expected) => {
    stub.answering = (_asked, response) => answer(response);
    // Only what waits for it is given a short time, so that a busy machine does not turn other faults into this one.
    const timeoutMs = (expected as { why: string }).why === 'timeout' ? 150 : 5_000;
    expect(await client({ timeoutMs }).token(form())).toEqual({ kind: 'unavailable', ...expected });
    expect(stub.asked.map(({ path }) => path)).toEqual(['/hms/pr/token']);
  });

  it('waits no longer than whoever asked', async () => {
    stub.answering = () => undefined;
    const answer = withDeadline(Date.now() + 150, () => client({ timeoutMs: 30_000 }).token(form()));
    expect(await answer).toEqual({ kind: 'unavailable', why: 'deadline' });
  });

  it('says that nobody is there', async () => {
    const gone = await UpstreamStub.start();
    await gone.stop();
    expect(await client({ tokenUrl: new URL('/hms/pr/token', gone.origin) }).token(form())).toEqual({ kind: 'unavailable', why: 'network' });
  });
});

describe('an account at a provider', () => {
  /** A rest that is over at once, or as good as never. */
  const over = new ConstantBackoff(0);
  const never = new ConstantBackoff(3_600_000);

  it('asks again while there is no answer, as often as it may', async () => {
    stub.breakOff();
    const seen: string[] = [];
    expect(await account({ observe: (call, outcome) => seen.push(`${call} ${outcome}`) }).token(form(), 2)).toEqual({ kind: 'unavailable', why: 'network' });
    expect(stub.asked.length).toBe(2);
    expect(seen).toEqual(['token network', 'token network']);
  });

  it('takes the answer of the second attempt', async () => {
    stub.answering = (_, response) => (stub.recover(), void response.destroy());
    expect(await account().token(form(), 2)).toMatchObject({ kind: 'token' });
    expect(stub.asked.length).toBe(2);
  });

  it('does not ask again after a refusal, nor counts it as a failure', async () => {
    stub.refuse(401, -2017);
    const one = account({ failuresMax: 2, rest: never });
    for (let time = 0; time < 4; time += 1) expect(await one.token(form(), 2)).toEqual({ kind: 'refused', status: 401, code: -2017 });
    expect([stub.asked.length, one.level]).toEqual([4, 0]);
  });

  it('is not asked, and neither left alone nor taken for well, because a caller was late', async () => {
    stub.answering = () => undefined;
    const one = account({ failuresMax: 2, rest: over }, { timeoutMs: 2_000 });
    const late = () => withDeadline(Date.now() + 100, () => one.token(form(), 2));
    expect(await late()).toEqual({ kind: 'unavailable', why: 'deadline' });
    expect([stub.asked.length, one.level]).toEqual([0, 0]);
    stub.breakOff();
    await one.token(form(), 1);
    stub.answering = () => undefined;
    await late();
    stub.breakOff();
    // The second in a row, whoever was late between the two.
    await one.token(form(), 1);
    expect(one.level).toBe(2);
    stub.answering = () => undefined;
    // Nor does it find out whether the provider is back.
    await late();
    expect([stub.asked.length, one.level]).toEqual([2, 2]);
  });

  it('is left alone after so many failures, for tokens and records alike', async () => {
    stub.breakOff();
    const one = account({ failuresMax: 2, rest: never });
    await one.token(form(), 1);
    expect(one.level).toBe(0);
    await one.record('cookie-1');
    expect(one.level).toBe(2);
    expect(await one.token(form(), 1)).toEqual({ kind: 'unavailable', why: 'circuit-open' });
    expect(await one.record('cookie-1')).toEqual({ kind: 'unavailable', why: 'circuit-open' });
    expect(stub.asked.length).toBe(2);
  });

  it('is tried by one request when its rest is over, and then as ever', async () => {
    stub.breakOff();
    const one = account({ failuresMax: 1, rest: over });
    await one.token(form(), 1);
    await one.token(form(), 1);
    expect([stub.asked.length, one.level]).toEqual([2, 2]);
    stub.recover();
    const both = await Promise.all([one.token(form(), 1), one.token(form(), 1)]);
    expect([both.map(({ kind }) => kind), one.level]).toEqual([['token', 'token'], 0]);
  });
});

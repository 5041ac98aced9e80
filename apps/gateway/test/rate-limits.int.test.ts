import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem, requests } from '@latchkey/contracts';
import { generateApiKey, parseApiKey } from '@latchkey/crypto';
import type { RunningService } from '@latchkey/service-defaults';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const BURST = 3;
const gateway = new GatewayUnderTest({ LATCHKEY_FAILED_LOOKUPS_BURST: String(BURST), LATCHKEY_FAILED_LOOKUPS_PER_MINUTE: '1' });
let replica: RunningService;
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
// Each test has a replica of its own, whose limits nobody has used up.
beforeEach(async () => {
  gateway.neighbours.reset();
  replica = await gateway.startReplica();
});

const codesOf = async (calls: number, call: () => Promise<Response>): Promise<unknown[]> => {
  const codes: unknown[] = [];
  for (let n = 0; n < calls; n += 1) codes.push((await refusalOf(await call())).code);
  return codes;
};

describe('failed look-ups of API keys', () => {
  const wrong = (): Promise<Response> => gateway.call('GET', '/v1/merchant', { key: generateApiKey('test'), replica });

  it('are answered as such a few times, then with 429 and when to come again', async () => {
    expect(await codesOf(BURST + 1, wrong)).toEqual([...Array<string>(BURST).fill('unauthenticated'), 'rate-limited']);
    const limited = await wrong();
    expect(await refusalOf(limited)).toEqual({ status: 429, code: 'rate-limited' });
    const retryAfterSeconds = Number(limited.headers.get('retry-after'));
    expect(retryAfterSeconds).toBeGreaterThanOrEqual(1);
    expect(retryAfterSeconds).toBeLessThanOrEqual(60);
  });

  it('are forgiven when the time that was named is over', async () => {
    // One every ten seconds: long enough that a slow machine makes its calls in between, short enough to wait for.
    replica = await gateway.startReplica({ LATCHKEY_FAILED_LOOKUPS_PER_MINUTE: '6' });
    expect(await codesOf(BURST + 1, wrong)).toEqual([...Array<string>(BURST).fill('unauthenticated'), 'rate-limited']);
    const retryAfterSeconds = Number((await wrong()).headers.get('retry-after'));
    await new Promise((resolve) => setTimeout(resolve, retryAfterSeconds * 1000));
    expect(await codesOf(2, wrong)).toEqual(['unauthenticated', 'rate-limited']);
  });

  // One that nobody has is limited no less, or the answers would tell which key ids there are.
  it.each([
    ['that somebody has', parseApiKey(gateway.key)!.keyId],
    ['that nobody has', 'nobodys1'],
  ])('are limited by the key id too, from whatever address they come: one %s', async (_, keyId) => {
    const codeFrom = async (localAddress: string, key: string): Promise<unknown> => {
      const call = request(`${replica.url}/v1/merchant`, { localAddress, headers: { authorization: `Bearer ${key}` } }).end();
      const [answer] = (await once(call, 'response')) as [IncomingMessage];
      return ((await json(answer)) as { code?: unknown }).code;
    };
    const addresses = Array.from({ length: BURST + 1 }, (_, n) => `127.0.0.${n + 10}`);
    const codes: unknown[] = [];
    for (const address of addresses) codes.push(await codeFrom(address, generateApiKey('test', keyId)));
    expect(codes).toEqual([...Array<string>(BURST).fill('unauthenticated'), 'rate-limited']);
    // Neither another key from the last of these addresses nor the right key under that id pays for it.
    expect(await codeFrom(addresses[BURST]!, generateApiKey('test'))).toBe('unauthenticated');
    expect((await gateway.call('GET', '/v1/merchant', { replica })).status).toBe(200);
  });

  it('never stop a good key from the same address', async () => {
    await codesOf(BURST + 5, wrong);
    expect((await gateway.call('GET', '/v1/merchant', { replica })).status).toBe(200);
    expect((await gateway.call('GET', '/v1/merchant', { key: await gateway.makeKey(), replica })).status).toBe(200);
  });

  it('are no calls without a key, nor calls that lack a scope', async () => {
    const without = await codesOf(BURST + 2, () => gateway.call('GET', '/v1/merchant', { key: null, replica }));
    expect(new Set(without)).toEqual(new Set(['unauthenticated']));
    const key = await gateway.makeKey('default', []);
    const forbidden = await codesOf(BURST + 2, () => gateway.call('GET', '/v1/purchases/order-1', { key, replica }));
    expect(new Set(forbidden)).toEqual(new Set(['forbidden']));
  });
});

describe('failed look-ups of cookies', () => {
  const show = (cookie: string, key = gateway.key): Promise<Response> => gateway.call('GET', `/v1/cookies/${cookie}`, { key, replica });

  beforeEach(() => {
    gateway.neighbours.answer(requests.getCookie, ({ cookie }) => {
      if (cookie !== 'known') throw new Problem('cookie-unknown');
      return { cookie, accountId: 'alice', state: 'pending' as const, expiresAt: '2026-11-23T12:00:00Z' };
    });
    gateway.neighbours.refuse(requests.getDeviceRecord, new Problem('cookie-unknown'));
  });

  it('are limited by merchant, over all calls that look cookies up', async () => {
    expect(await codesOf(2, () => show('unknown'))).toEqual(['cookie-unknown', 'cookie-unknown']);
    expect(await codesOf(2, () => gateway.call('GET', '/v1/cookies/unknown/device', { replica }))).toEqual(['cookie-unknown', 'rate-limited']);
    const limited = await show('unknown');
    expect(await refusalOf(limited)).toEqual({ status: 429, code: 'rate-limited' });
    expect(Number(limited.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
  });

  it('never hide a cookie that is there, and harm no other merchant', async () => {
    await codesOf(BURST + 5, () => show('unknown'));
    expect((await show('known')).status).toBe(200);
    expect(await codesOf(1, async () => show('unknown', await gateway.makeKey('other')))).toEqual(['cookie-unknown']);
  });

  it('are no purchases that were rejected because their cookie was unknown', async () => {
    gateway.neighbours.refuse(requests.getPurchaseToken, new Problem('cookie-unknown', { status: 409 }));
    const codes = await codesOf(BURST + 2, () => gateway.call('GET', '/v1/purchases/order-1/token', { replica }));
    expect(new Set(codes)).toEqual(new Set(['cookie-unknown']));
  });
});

import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Problem, PurchaseRejected, requests, TokenIssued } from '@latchkey/contracts';
import { eventually } from '@latchkey/kits';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const view = { token: 'a.b.c', tokenId: 'tok_1', deviceId: 'device', licenseUrl: 'http://licences/v1/licenses', expiresAt: '2026-11-23T12:00:00Z' };
const gateway = new GatewayUnderTest();
const { neighbours } = gateway;
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
beforeEach(() => neighbours.reset());

const collect = (waitSeconds?: number | string, purchaseId = 'order-1', signal?: AbortSignal): Promise<Response> =>
  fetch(`${gateway.replica.url}/v1/purchases/${purchaseId}/token${waitSeconds === undefined ? '' : `?waitSeconds=${waitSeconds}`}`, {
    headers: { authorization: `Bearer ${gateway.key}` },
    signal: signal ?? null,
  });
const asked = (): number => neighbours.asked.length;

describe('the token of a purchase', () => {
  it('is answered at once where it is there', async () => {
    neighbours.answer(requests.getPurchaseToken, () => view);
    for (const wait of [undefined, 0, 30]) {
      const response = await collect(wait);
      expect([response.status, await response.json()]).toEqual([200, view]);
    }
    expect(neighbours.asked[0]!.input).toEqual({ merchantId: 'default', purchaseId: 'order-1' });
  });

  it.each([
    ['token-not-issued', 404],
    ['purchase-unknown', 404],
    ['purchase-refunded', 409],
    ['device-mismatch', 409],
    ['device-revoked', 409],
    ['cookie-unknown', 409],
    ['cookie-expired', 409],
    ['kid-unknown', 409],
  ] as const)('is refused with %s, without waiting where nobody asked to', async (code, status) => {
    neighbours.refuse(requests.getPurchaseToken, new Problem(code));
    expect(await refusalOf(await collect())).toEqual({ status, code });
    expect(asked()).toBe(1);
  });

  it.each(['31', '-1', '1.5', '01', 'x', ''])('is not waited for %s seconds', async (wait) => {
    expect(await refusalOf(await collect(wait))).toMatchObject({ status: 400, code: 'invalid-request' });
  });

  it('is refused as unknown-member with another query', async () => {
    expect(await refusalOf(await gateway.call('GET', '/v1/purchases/order-1/token?wait=1'))).toMatchObject({ status: 400, code: 'unknown-member' });
  });

  it('is refused when the wait is over', async () => {
    neighbours.refuse(requests.getPurchaseToken, new Problem('token-not-issued'));
    const startedMs = performance.now();
    expect(await refusalOf(await collect(2))).toEqual({ status: 404, code: 'token-not-issued' });
    const tookMs = performance.now() - startedMs;
    expect(tookMs).toBeGreaterThanOrEqual(2_000);
    // Every two seconds at most, and once more at the end.
    expect(asked()).toBeLessThanOrEqual(3);
  });

  it.each([
    ['TokenIssued', TokenIssued],
    ['PurchaseRejected', PurchaseRejected],
  ])('is asked for again as soon as %s is heard', async (_, event) => {
    const askedAtMs: number[] = [];
    let issued = false;
    neighbours.answer(requests.getPurchaseToken, () => {
      askedAtMs.push(performance.now());
      if (!issued) throw new Problem('token-not-issued');
      return view;
    });
    const response = collect(30, 'order-2');
    await eventually(() => expect(askedAtMs).toHaveLength(1));
    await gateway.say(event as typeof TokenIssued, { purchaseId: 'another' });
    await gateway.say(event as typeof TokenIssued, { purchaseId: 'order-2', merchantId: 'another' });
    // Nobody asks again for those two; and the next time that it would be asked for anyway is two seconds off.
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(askedAtMs).toHaveLength(1);
    issued = true;
    await gateway.say(event as typeof TokenIssued, { purchaseId: 'order-2' });
    expect(await (await response).json()).toEqual(view);
    expect(askedAtMs[1]! - askedAtMs[0]!).toBeLessThan(1_950);
  });

  it('is found by asking now and then, where the event is late', async () => {
    neighbours.answer(requests.getPurchaseToken, () => {
      if (asked() < 3) throw new Problem(asked() === 1 ? 'purchase-unknown' : 'token-not-issued');
      return view;
    });
    expect((await collect(30)).status).toBe(200);
  });

  it('is not waited for once the purchase was rejected meanwhile', async () => {
    neighbours.answer(requests.getPurchaseToken, () => {
      throw new Problem(asked() === 1 ? 'token-not-issued' : 'kid-unknown');
    });
    expect(await refusalOf(await collect(30))).toEqual({ status: 409, code: 'kid-unknown' });
  });

  it('is not asked for any more when the client hung up', async () => {
    neighbours.refuse(requests.getPurchaseToken, new Problem('token-not-issued'));
    const controller = new AbortController();
    const hungUp = collect(30, 'order-1', controller.signal).catch((error: unknown) => error);
    await eventually(() => expect(asked()).toBe(1));
    controller.abort();
    expect(await hungUp).toMatchObject({ name: 'AbortError' });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const after = asked();
    expect(after).toBeLessThanOrEqual(2);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(asked()).toBe(after);
  });
});

describe('a gateway that stops', () => {
  it('answers those who wait, and waits for nobody who only connected', async () => {
    const replica = await gateway.startReplica();
    neighbours.refuse(requests.getPurchaseToken, new Problem('token-not-issued'));
    const silent = connect(Number(new URL(replica.url!).port), '127.0.0.1');
    silent.on('error', () => undefined);
    await new Promise((resolve) => silent.once('connect', resolve));
    const waiting = gateway.call('GET', '/v1/purchases/order-1/token?waitSeconds=30', { replica });
    await eventually(() => expect(asked()).toBe(1));
    const startedMs = performance.now();
    await gateway.stopReplica(replica);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(await refusalOf(await waiting)).toEqual({ status: 404, code: 'token-not-issued' });
  });

  it('closes connections on which an answer was under way, though clients would keep them', async () => {
    const replica = await gateway.startReplica();
    neighbours.answer(requests.getPurchaseToken, async () => {
      // Longer than everything that comes before the server closes.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      return view;
    });
    const waiting = gateway.call('GET', '/v1/purchases/order-1/token', { replica });
    await eventually(() => expect(asked()).toBe(1));
    const startedMs = performance.now();
    await gateway.stopReplica(replica);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    expect(await (await waiting).json()).toEqual(view);
  });
});

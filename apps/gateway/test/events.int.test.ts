import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { DeviceRegistered, DeviceRevoked, LicenseDenied, LicenseGranted, PurchaseRefunded, PurchaseRejected, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { parseApiKey } from '@latchkey/crypto';
import { eventually } from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import type { RunningService } from '@latchkey/service-defaults';
import { FeedStore } from '../src/feed/feed-store.js';
import { EventSourceClient } from './event-source.js';
import { GatewayUnderTest, refusalOf } from './gateway-under-test.js';

const gateway = new GatewayUnderTest({ LATCHKEY_EVENTS_HEARTBEAT_SECONDS: '1' });
const clients: EventSourceClient[] = [];
beforeAll(() => gateway.start());
afterAll(() => gateway.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function follow(options: { key?: string; lastEventId?: number | string; replica?: RunningService } = {}): Promise<EventSourceClient> {
  const client = await EventSourceClient.open((options.replica ?? gateway.replica).url!, options.key ?? gateway.key, options.lastEventId);
  clients.push(client);
  return client;
}

let last = 0;
const names = (count: number): string[] => Array.from({ length: count }, () => `device-${(last += 1)}`);
const register = async (deviceIds: readonly string[], merchantId = 'default'): Promise<void> => {
  for (const deviceId of deviceIds) await gateway.say(DeviceRegistered, { merchantId, deviceId });
};

describe('a stream of events', () => {
  it('carries everything that merchants are told about, whole, as it was said', async () => {
    const client = await follow();
    const said = [DeviceRegistered, TokenIssued, LicenseGranted, LicenseDenied, PurchaseRejected, TokenRevoked, DeviceRevoked];
    for (const event of said) await gateway.say(event as typeof DeviceRegistered);
    await eventually(() => expect(client.events).toHaveLength(said.length));
    // Of different types in no promised order.
    const received = new Map(client.events.map(({ event, data }) => [event, data]));
    expect(received).toEqual(new Map(said.map((event) => [event.type, event.example])));
    for (const [index, { id }] of client.events.entries()) expect(id).toBeGreaterThan(client.events[index - 1]?.id ?? 0);
  });

  it('begins now, and says each event once however often it was delivered', async () => {
    const first = await follow();
    await gateway.say(DeviceRegistered, { deviceId: 'before' });
    await eventually(() => expect(first.all('deviceId')).toContain('before'));
    const client = await follow();
    for (let n = 0; n < 3; n += 1) await gateway.say(DeviceRegistered, { deviceId: 'twice' }, 'the-same-event');
    await gateway.say(DeviceRegistered, { deviceId: 'end' });
    await eventually(() => expect(client.all('deviceId')).toContain('end'));
    expect(client.all('deviceId')).toEqual(['twice', 'end']);
    expect(first.all('deviceId').slice(-2)).toEqual(['twice', 'end']);
  });

  it('is resumed after the last id, without a gap and without a repetition', async () => {
    const expected = names(250);
    const whole = await follow();
    await register(expected.slice(0, 5));
    await eventually(() => expect(whole.all('deviceId')).toEqual(expected.slice(0, 5)));
    const lastEventId = whole.events[2]!.id;
    await register(expected.slice(5, 245));
    const resumed = await follow({ lastEventId });
    await register(expected.slice(245));
    await eventually(() => expect(resumed.all('deviceId')).toEqual(expected.slice(3)), { timeoutMs: 20_000 });
    await eventually(() => expect(whole.all('deviceId')).toEqual(expected));
    expect(resumed.events).toEqual(whole.events.slice(3));
  });

  it.each(['a\u0000b', 'lone \ud800 surrogate'])('is neither stopped nor thinned out by a refund because of %j', async (reason) => {
    const live = await follow();
    const [before, after] = names(2);
    await register([before!]);
    await eventually(() => expect(live.all('deviceId')).toEqual([before]));
    // As a checkout said it: the bus of this test has no broker users, so what comes from a checkout is stored directly.
    const outbox = new Outbox(gateway.replica.dataSource, []);
    const store = new FeedStore(gateway.replica.dataSource, outbox);
    await outbox.transaction((tx) => store.append(tx, [{ merchantId: 'default', type: PurchaseRefunded.type, data: { ...PurchaseRefunded.example, reason } }]));
    await register([after!]);
    await eventually(() => expect(live.events).toHaveLength(3));
    expect(live.all('reason')).toEqual([undefined, reason, undefined]);
    expect(live.all('deviceId')).toEqual([before, undefined, after]);
    const replayed = await follow({ lastEventId: live.events[0]!.id });
    await eventually(() => expect(replayed.events).toEqual(live.events.slice(1)));
  });

  it('begins now after an id that was never given', async () => {
    const client = await follow({ lastEventId: '999999999999999999' });
    const [name] = names(1);
    await register([name!]);
    await eventually(() => expect(client.all('deviceId')).toEqual([name]));
  });

  it('is refused after something that is no id', async () => {
    for (const bad of ['-1', 'x', '1.5', '9'.repeat(19)]) {
      expect(await refusalOf(await gateway.call('GET', '/v1/events', { headers: { 'last-event-id': bad } }))).toMatchObject({ status: 400, code: 'invalid-request' });
    }
  });

  it('tells a merchant nothing of another, live or replayed', async () => {
    const key = await gateway.makeKey('other');
    const [mine, theirs] = [await follow(), await follow({ key })];
    await register(['a', 'b'], 'other');
    await register(['c'], 'default');
    await eventually(() => expect([mine.all('deviceId'), theirs.all('deviceId')]).toEqual([['c'], ['a', 'b']]));
    const replayed = await follow({ key, lastEventId: 0 });
    await eventually(() => expect(replayed.all('deviceId')).toEqual(['a', 'b']));
    expect(new Set(replayed.all('merchantId'))).toEqual(new Set(['other']));
  });

  it('is kept alive while it is quiet, and ends when its key is revoked', async () => {
    const key = await gateway.makeKey('quiet');
    const [client, spared] = [await follow({ key }), await follow()];
    await eventually(() => expect(client.comments).toBeGreaterThanOrEqual(1));
    await gateway.replica.dataSource.query('update api_keys set revoked_at = now() where key_id = $1', [parseApiKey(key)!.keyId]);
    await eventually(() => expect(client.ended).toBe(true));
    expect(spared.ended).toBe(false);
  });

  it('is not opened by HEAD', async () => {
    const response = await fetch(`${gateway.replica.url}/v1/events`, { method: 'HEAD', headers: { authorization: `Bearer ${gateway.key}` }, signal: AbortSignal.timeout(2_000) });
    expect([200, 404, 405]).toContain(response.status);
  });

  it('may have a hundred others beside it', async () => {
    const many = await Promise.all(Array.from({ length: 100 }, () => follow()));
    const expected = names(20);
    await register(expected);
    await eventually(() => {
      for (const client of many) expect(client.all('deviceId')).toEqual(expected);
    });
    expect(await (await gateway.call('GET', '/metrics')).text()).toContain('latchkey_gateway_event_streams 100');
  });
});

describe('two replicas', () => {
  it('show the same events under the same ids, and a client may go from one to the other', async () => {
    const second = await gateway.startReplica();
    try {
      const [one, other] = [await follow(), await follow({ replica: second })];
      const expected = names(100);
      await register(expected);
      await eventually(() => expect([one.events.length, other.events.length]).toEqual([100, 100]));
      expect(other.events).toEqual(one.events);
      expect(new Set(one.all('deviceId'))).toEqual(new Set(expected));
      const moved = await follow({ replica: second, lastEventId: one.events[39]!.id });
      await eventually(() => expect(moved.events).toEqual(one.events.slice(40)));
    } finally {
      await gateway.stopReplica(second);
    }
  });

  it('end their streams when they stop, at once, and what comes meanwhile is replayed by the other', async () => {
    const second = await gateway.startReplica();
    const client = await follow({ replica: second });
    const expected = names(3);
    await register(expected.slice(0, 1));
    await eventually(() => expect(client.all('deviceId')).toEqual(expected.slice(0, 1)));
    const startedMs = performance.now();
    await gateway.stopReplica(second);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    await eventually(() => expect(client.ended).toBe(true));
    await register(expected.slice(1));
    const moved = await follow({ lastEventId: client.events.at(-1)!.id });
    await eventually(() => expect(moved.all('deviceId')).toEqual(expected.slice(1)));
  });
});

import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { type InProcessBroker, openInProcessBroker } from '@latchkey/messaging';
import { inSeconds, type RegistryUnderTest, startDeviceRegistry } from './start-device-registry.js';

let busDatabase: TestDatabase;
let broker: InProcessBroker;
let house: RegistryUnderTest;

beforeAll(async () => {
  busDatabase = await createTestDatabase();
  broker = await openInProcessBroker({ databaseUrl: busDatabase.url, ladder: [{ name: '5s', delayMs: 50 }] });
  house = await startDeviceRegistry(broker, 2);
});

afterAll(async () => {
  await house.stop();
  await broker.close();
  await busDatabase.drop();
});

beforeEach(() => house.clear());

const refOf = (cookie: string, merchantId = 'default') => ({ merchantId, cookie });
const knownCookies = async () => (await house.database.query<{ cookie: string }[]>('select cookie from known_cookies order by cookie')).map(({ cookie }) => cookie);

describe('record retrieval', () => {
  it('says that no device came yet, on its own for a cookie that it heard of', async () => {
    await house.cookies.issue([refOf('heard')]);
    await eventually(async () => expect(await knownCookies()).toEqual(['heard']));
    await expect(house.record('heard')).rejects.toMatchObject({ code: 'device-not-registered', status: 404 });
    expect(house.cookies.asked).toBe(0);
  });

  it('asks the owner about a cookie that it has not heard of', async () => {
    house.cookies.known.add('made-just-now');
    await expect(house.record('made-just-now')).rejects.toMatchObject({ code: 'device-not-registered' });
    await expect(house.record('never-made')).rejects.toMatchObject({ code: 'cookie-unknown', status: 404 });
    expect(house.cookies.asked).toBe(2);
  });

  it('knows nothing of the cookies of another merchant', async () => {
    await house.bind({});
    await house.cookies.issue([refOf('heard')]);
    await eventually(async () => expect(await knownCookies()).toEqual(['heard']));
    await expect(house.record('crumb', 'acme')).rejects.toMatchObject({ code: 'cookie-unknown' });
    await expect(house.record('heard', 'acme')).rejects.toMatchObject({ code: 'cookie-unknown' });
  });

  it('is unavailable where only the owner could tell and does not', async () => {
    await house.bind({});
    await house.cookies.stop();
    try {
      await expect(house.record('unheard')).rejects.toMatchObject({ code: 'unavailable', status: 503 });
      expect(await house.record('crumb')).toMatchObject({ deviceId: 'alices-device' });
    } finally {
      await house.cookies.start();
    }
  });

  it('shows a device that came before its cookie was heard of, and after', async () => {
    await house.bind({});
    const before = await house.record('crumb');
    await house.cookies.issue([refOf('crumb')]);
    await eventually(async () => expect(await knownCookies()).toEqual(['crumb']));
    expect(await house.record('crumb')).toEqual(before);
  });
});

describe('looking bindings up', () => {
  it('finds those that there are, each once', async () => {
    await house.bind({});
    await house.bind({ merchantId: 'acme', accountId: 'bob', evidence: 'asserted' });
    const { bindings } = await house.requests.ask(requests.lookUpBindings, {
      cookies: [refOf('crumb'), refOf('crumb'), refOf('crumb', 'acme'), refOf('other'), refOf('crumb', 'third')],
    });
    expect(bindings).toHaveLength(2);
    expect(bindings).toContainEqual({ merchantId: 'default', ...(await house.record('crumb')) });
    expect(bindings).toContainEqual({ merchantId: 'acme', ...(await house.record('crumb', 'acme')) });
    expect(bindings.find(({ merchantId }) => merchantId === 'acme')).toMatchObject({ accountId: 'bob', evidence: 'asserted' });
    expect(await house.requests.ask(requests.lookUpBindings, { cookies: [] })).toEqual({ bindings: [] });
  });
});

describe('the devices of an account', () => {
  it('is empty where it has none', async () => expect(await house.list('alice')).toEqual([]));

  it('lists each device once: since its first binding of the account, seen at its last', async () => {
    await house.bind({ cookie: 'one' });
    await house.bind({ cookie: 'bobs', accountId: 'bob' });
    await house.bind({ cookie: 'two' });
    await house.bind({ cookie: 'tv', deviceId: 'tv', evidence: 'asserted', confidence: 'hardware' });
    await house.bind({ cookie: 'tv-again', deviceId: 'tv', evidence: 'asserted', confidence: 'software' });
    await house.bind({ merchantId: 'acme', cookie: 'other', deviceId: 'of-another-merchant' });
    const first = await house.record('one');
    const second = await house.record('two');
    const bobs = await house.record('bobs');
    expect(Date.parse(second.registeredAt)).toBeGreaterThan(Date.parse(first.registeredAt));
    expect(await house.list('alice')).toEqual([
      { deviceId: 'alices-device', evidence: 'proof', confidence: 'proof', state: 'active', registeredAt: first.registeredAt, lastSeenAt: second.registeredAt },
      { deviceId: 'tv', evidence: 'asserted', confidence: 'software', state: 'active', registeredAt: expect.any(String), lastSeenAt: expect.any(String) },
    ]);
    expect(await house.list('bob')).toMatchObject([{ deviceId: 'alices-device', registeredAt: bobs.registeredAt, lastSeenAt: bobs.registeredAt }]);
  });
});

describe('hearing of cookies', () => {
  it('notes each once, however often and in whatever order it is told', async () => {
    await house.cookies.issue([refOf('b'), refOf('a'), refOf('b')], 'first');
    await house.cookies.issue([refOf('b'), refOf('a'), refOf('b')], 'first');
    await house.cookies.issue([refOf('c'), refOf('a')], 'second');
    await eventually(async () => expect(await knownCookies()).toEqual(['a', 'b', 'c']));
    await eventually(async () => expect((await broker.depths('device-registry')).every(({ messages }) => messages === 0)).toBe(true));
  });

  it('forgets what is expired, and asks the owner from then on', async () => {
    await house.cookies.issue([refOf('old')], 'old', inSeconds(-1));
    await house.cookies.issue([refOf('young')], 'young');
    await eventually(async () => expect(await knownCookies()).toEqual(['old', 'young']));
    const replica = await house.start();
    try {
      await eventually(async () => expect(await knownCookies()).toEqual(['young']));
    } finally {
      await replica.stop();
    }
    house.cookies.known.add('old');
    await expect(house.record('old')).rejects.toMatchObject({ code: 'device-not-registered' });
    expect(house.cookies.asked).toBe(1);
  });
});

describe('records', () => {
  const records = async (input: { start?: number; length: number }, merchantId = 'default') =>
    (await house.requests.ask(requests.listRecords, { merchantId, ...input })).records.map(({ cookie }) => cookie);

  it('of a merchant come in the order in which its devices registered, whole or from a place on', async () => {
    for (const cookie of ['c', 'a', 'e', 'b', 'd']) await house.bind({ cookie, deviceId: `device-${cookie}` });
    await house.bind({ merchantId: 'acme', cookie: 'foreign', deviceId: 'another' });
    // Two of the same millisecond still have an order.
    await house.database.query(`update bindings set registered_at = (select registered_at from bindings where cookie = 'e') where cookie = 'b'`);
    expect(await records({ start: 0, length: 32 })).toEqual(['c', 'a', 'b', 'e', 'd']);
    expect(await records({ start: 1, length: 2 })).toEqual(['a', 'b']);
    expect(await records({ start: 4, length: 2 })).toEqual(['d']);
    expect(await records({ start: 5, length: 2 })).toEqual([]);
    expect(await records({ length: 2 })).toEqual(['e', 'd']);
    expect(await records({ length: 32 })).toEqual(['c', 'a', 'b', 'e', 'd']);
    expect(await records({ start: 0, length: 32 }, 'acme')).toEqual(['foreign']);
    expect(await records({ length: 32 }, 'nobody')).toEqual([]);
  });

  it('are those that record retrieval shows', async () => {
    await house.bind({});
    await house.revoke('alices-device');
    const { records: listed } = await house.requests.ask(requests.listRecords, { merchantId: 'default', length: 1 });
    expect(listed).toEqual([await house.record('crumb')]);
    expect(listed[0]).toMatchObject({ state: 'revoked' });
  });
});

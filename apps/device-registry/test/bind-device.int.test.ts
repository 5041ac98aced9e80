import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { type InProcessBroker, openInProcessBroker } from '@latchkey/messaging';
import { alicesDevice, inSeconds, type RegistryUnderTest, startDeviceRegistry } from './start-device-registry.js';

let busDatabase: TestDatabase;
let broker: InProcessBroker;
let house: RegistryUnderTest;

beforeAll(async () => {
  busDatabase = await createTestDatabase();
  broker = await openInProcessBroker({ databaseUrl: busDatabase.url });
  house = await startDeviceRegistry(broker, 2);
});

afterAll(async () => {
  await house.stop();
  await broker.close();
  await busDatabase.drop();
});

beforeEach(() => house.clear());

const bindings = () => house.database.query<Record<string, unknown>[]>('select merchant_id, cookie, device_id from bindings order by merchant_id, cookie');
const thief = { deviceId: 'thiefs-device' };

describe('binding a device', () => {
  it('binds the first that comes, and says so', async () => {
    expect(await house.bind({})).toBe('bound');
    const record = await house.record('crumb');
    expect(record).toEqual({ cookie: 'crumb', accountId: 'alice', deviceId: 'alices-device', evidence: 'proof', confidence: 'proof', state: 'active', registeredAt: expect.any(String) });
    await eventually(() => expect(house.cookies.registered).toEqual([{ ...alicesDevice, confidence: 'proof', registeredAt: record.registeredAt }]));
  });

  it('refuses another device, of which it keeps nothing', async () => {
    await house.bind({});
    expect(await house.bind(thief)).toBe('cookie-bound-elsewhere');
    expect(await house.bind({ evidence: 'asserted' })).toBe('cookie-bound-elsewhere');
    expect(await house.bind({ ...thief, cookieExpiresAt: inSeconds(-60) })).toBe('cookie-bound-elsewhere');
    expect(await house.record('crumb')).toMatchObject({ deviceId: 'alices-device', evidence: 'proof' });
    expect(await house.count('devices')).toBe(1);
  });

  it('is bound again, without another event, when the same device comes again', async () => {
    await house.bind({});
    const [first] = await house.list('alice');
    expect(await house.bind({})).toBe('bound');
    const [second] = await house.list('alice');
    expect(second!.registeredAt).toBe(first!.registeredAt);
    expect(Date.parse(second!.lastSeenAt)).toBeGreaterThan(Date.parse(first!.lastSeenAt));
    expect(await house.bind({ cookieExpiresAt: inSeconds(-60) })).toBe('bound');
    await house.bind({ cookie: 'last' });
    await eventually(() => expect(house.cookies.registered.map(({ cookie }) => cookie)).toEqual(['crumb', 'last']));
  });

  it('refuses a cookie that expired before a device came', async () => {
    expect(await house.bind({ cookieExpiresAt: inSeconds(-1) })).toBe('cookie-expired');
    expect(await house.count('devices')).toBe(0);
    expect(await house.count('bindings')).toBe(0);
  });

  it('knows a device of a DRM by one spelling', async () => {
    const deviceId = 'ABCDEF0123456789ABCDEF0123456789';
    expect(await house.bind({ evidence: 'asserted', deviceId })).toBe('bound');
    expect(await house.bind({ evidence: 'asserted', deviceId: deviceId.toLowerCase() })).toBe('bound');
    expect(await house.record('crumb')).toMatchObject({ deviceId: deviceId.toLowerCase(), evidence: 'asserted' });
  });

  it('keeps how sure its licence server was when it was bound, and tells it', async () => {
    expect(await house.bind({ evidence: 'asserted', confidence: 'hardware' })).toBe('bound');
    expect(await house.bind({ evidence: 'asserted', confidence: 'software' })).toBe('bound');
    expect(await house.bind({ cookie: 'tv', evidence: 'asserted' })).toBe('bound');
    expect(await house.bind({ cookie: 'phone', confidence: 'unknown' })).toBe('bound');
    const confidences = await Promise.all(['crumb', 'tv', 'phone'].map(async (cookie) => (await house.record(cookie)).confidence));
    expect(confidences).toEqual(['hardware', 'unknown', 'proof']);
    const { bindings: found } = await house.requests.ask(requests.lookUpBindings, { cookies: [{ merchantId: 'default', cookie: 'crumb' }] });
    expect(found).toMatchObject([{ confidence: 'hardware' }]);
    await eventually(() => expect(house.cookies.registered.map(({ confidence }) => confidence)).toEqual(confidences));
  });

  it('keeps merchants apart', async () => {
    expect(await house.bind({})).toBe('bound');
    expect(await house.bind({ ...thief, merchantId: 'acme' })).toBe('bound');
    expect(await bindings()).toEqual([
      { merchant_id: 'acme', cookie: 'crumb', device_id: 'thiefs-device' },
      { merchant_id: 'default', cookie: 'crumb', device_id: 'alices-device' },
    ]);
  });

  it('refuses a revoked device first of all, bound or not', async () => {
    await house.bind({});
    await house.revoke('alices-device');
    expect(await house.bind({})).toBe('device-revoked');
    expect(await house.bind({ cookie: 'another' })).toBe('device-revoked');
    expect(await house.bind({ cookie: 'another', cookieExpiresAt: inSeconds(-1) })).toBe('device-revoked');
    expect(await house.bind({ cookie: 'another', evidence: 'asserted' })).toBe('device-revoked');
    expect(await house.bind({ cookie: 'another', merchantId: 'acme' })).toBe('bound');
    expect(await bindings()).toHaveLength(2);
  });

  it('commits the event with the binding, or neither', async () => {
    await house.database.query('alter table outbox_events rename to outbox_away');
    try {
      await expect(house.bind({})).rejects.toMatchObject({ code: 'internal' });
    } finally {
      await house.database.query('alter table outbox_away rename to outbox_events');
    }
    expect(await house.count('bindings')).toBe(0);
    expect(await house.count('devices')).toBe(0);
  });

  it('keeps in the outbox what a hearer cannot get until it can', async () => {
    await house.cookies.stop();
    await broker.declare({ service: 'cookie', hears: [], says: [], asks: [] });
    try {
      await house.bind({});
      await eventually(async () => {
        const rows = await house.database.query<unknown[]>('select type, copy_for, data from outbox_events');
        expect(rows).toEqual([{ type: 'device.registered.v1', copy_for: 'cookie', data: { ...alicesDevice, confidence: 'proof', registeredAt: expect.any(String) } }]);
      });
    } finally {
      await house.cookies.start();
    }
    await eventually(() => expect(house.cookies.registered).toHaveLength(1));
  });
});

describe('devices that come at once', () => {
  it('are bound one and refused 39', async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, index) => house.bind({ deviceId: `device-${index}` })));
    expect(outcomes.filter((outcome) => outcome === 'bound')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome === 'cookie-bound-elsewhere')).toHaveLength(39);
    const winner = `device-${outcomes.indexOf('bound')}`;
    expect(await house.record('crumb')).toMatchObject({ deviceId: winner });
    expect(await house.count('devices')).toBe(1);
    await eventually(() => expect(house.cookies.registered.map(({ deviceId }) => deviceId)).toEqual([winner]));
  });

  it('are all bound where they are the same, with one event', async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, () => house.bind({})));
    expect(new Set(outcomes)).toEqual(new Set(['bound']));
    await house.bind({ cookie: 'last' });
    await eventually(() => expect(house.cookies.registered.map(({ cookie }) => cookie)).toEqual(['crumb', 'last']));
  });

  it('are one device with many cookies where they bring one each', async () => {
    const outcomes = await Promise.all(Array.from({ length: 40 }, (_, index) => house.bind({ cookie: `crumb-${index}` })));
    expect(new Set(outcomes)).toEqual(new Set(['bound']));
    expect(await house.count('devices')).toBe(1);
    expect(await house.count('bindings')).toBe(40);
  });

  it('are told of a rival that is committed between look and write', async () => {
    const rival = house.database.createQueryRunner();
    await rival.startTransaction();
    await rival.query(`insert into devices values ('default', 'rival', 'proof', now())`);
    await rival.query(`insert into bindings values ('default', 'crumb', 'alice', 'rival', 'proof', now(), now())`);
    const late = house.bind({});
    await eventually(async () => expect(await house.database.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).toHaveLength(1));
    await rival.commitTransaction();
    await rival.release();
    expect(await late).toBe('cookie-bound-elsewhere');
    expect(await house.count('devices')).toBe(1);
  });
});

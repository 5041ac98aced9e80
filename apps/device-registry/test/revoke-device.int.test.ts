import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { type InProcessBroker, openInProcessBroker } from '@latchkey/messaging';
import { type RegistryUnderTest, startDeviceRegistry } from './start-device-registry.js';

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

/** Another device is revoked, and heard of: whatever was said before that has been heard as well. */
const allIsHeard = async () => {
  await house.bind({ cookie: 'last', accountId: 'last', deviceId: 'last' });
  await house.revoke('last');
  await eventually(() => expect(house.cookies.revoked.some(({ deviceId }) => deviceId === 'last')).toBe(true));
  return house.cookies.revoked.filter(({ deviceId }) => deviceId !== 'last');
};

const waiting = (count: number) =>
  eventually(async () =>
    expect(await house.database.query(`select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`)).toHaveLength(count),
  );

describe('revoking a device', () => {
  it('revokes it for good and says so once', async () => {
    await house.bind({});
    expect(await house.revoke('alices-device', { reason: 'reported stolen' })).toEqual({ deviceId: 'alices-device', state: 'revoked' });
    expect(await house.revoke('alices-device', { reason: 'once more' })).toEqual({ deviceId: 'alices-device', state: 'revoked' });
    expect(await house.record('crumb')).toMatchObject({ state: 'revoked' });
    expect(await house.list('alice')).toMatchObject([{ deviceId: 'alices-device', state: 'revoked' }]);
    expect(await allIsHeard()).toEqual([
      { merchantId: 'default', deviceId: 'alices-device', accountId: 'alice', reason: 'reported stolen', revokedAt: expect.any(String) },
    ]);
  });

  it('needs no reason', async () => {
    await house.bind({});
    await house.revoke('alices-device');
    expect(await allIsHeard()).toEqual([{ merchantId: 'default', deviceId: 'alices-device', accountId: 'alice', reason: 'not stated', revokedAt: expect.any(String) }]);
  });

  it('does not know a device that was never bound, nor that of another merchant', async () => {
    await house.bind({});
    await expect(house.revoke('thiefs-device')).rejects.toMatchObject({ code: 'device-unknown', status: 404 });
    await expect(house.revoke('alices-device', { merchantId: 'acme' })).rejects.toMatchObject({ code: 'device-unknown' });
    expect(await house.record('crumb')).toMatchObject({ state: 'active' });
  });

  it('tells every account that has bound the device, once each, of this merchant only', async () => {
    await house.bind({});
    await house.bind({ cookie: 'alices-second' });
    await house.bind({ cookie: 'bobs', accountId: 'bob' });
    await house.bind({ merchantId: 'acme', accountId: 'carol' });
    await house.revoke('alices-device');
    expect((await allIsHeard()).map(({ merchantId, accountId }) => `${merchantId} ${accountId}`).sort()).toEqual(['default alice', 'default bob']);
    expect(await house.record('crumb', 'acme')).toMatchObject({ state: 'active' });
  });

  it('revokes every evidence of the id, in whatever spelling it is named', async () => {
    const deviceId = 'abcdef0123456789abcdef0123456789';
    await house.bind({ deviceId });
    await house.bind({ deviceId, cookie: 'second', evidence: 'asserted' });
    expect(await house.revoke(deviceId.toUpperCase())).toEqual({ deviceId, state: 'revoked' });
    expect(await house.list('alice')).toMatchObject([{ state: 'revoked' }, { state: 'revoked' }]);
    expect(await allIsHeard()).toHaveLength(1);
  });

  it('says it once where it is asked at once', async () => {
    await house.bind({});
    await Promise.all(Array.from({ length: 20 }, () => house.revoke('alices-device')));
    expect(await allIsHeard()).toHaveLength(1);
  });

  it('commits the event with the revocation, or neither', async () => {
    await house.bind({});
    await house.database.query('alter table outbox_events rename to outbox_away');
    try {
      await expect(house.revoke('alices-device')).rejects.toMatchObject({ code: 'internal' });
    } finally {
      await house.database.query('alter table outbox_away rename to outbox_events');
    }
    expect(await house.record('crumb')).toMatchObject({ state: 'active' });
  });
});

describe('binding and revoking at once', () => {
  it('tells the account of a binding that was under way', async () => {
    await house.bind({});
    const rival = house.database.createQueryRunner();
    await rival.startTransaction();
    await rival.query(`insert into bindings values ('default', 'bobs', 'bob', 'alices-device', 'proof', now(), now())`);
    const binding = house.bind({ cookie: 'bobs', accountId: 'bob' });
    await waiting(1);
    const revoking = house.revoke('alices-device');
    await waiting(2);
    await rival.rollbackTransaction();
    await rival.release();
    expect(await binding).toBe('bound');
    await revoking;
    expect((await allIsHeard()).map(({ accountId }) => accountId).sort()).toEqual(['alice', 'bob']);
    expect(await house.record('bobs')).toMatchObject({ state: 'revoked' });
  });

  it('lets no binding slip in behind a revocation that is under way', async () => {
    await house.bind({});
    const rival = house.database.createQueryRunner();
    await rival.startTransaction();
    await rival.query('select from devices for no key update');
    const revoking = house.revoke('alices-device');
    await waiting(1);
    const binding = house.bind({ cookie: 'second' });
    const asserted = house.bind({ cookie: 'third', evidence: 'asserted' });
    await waiting(3);
    await rival.rollbackTransaction();
    await rival.release();
    await revoking;
    expect(await binding).toBe('device-revoked');
    expect(await asserted).toBe('device-revoked');
    expect(await house.count('bindings')).toBe(1);
  });

  it('leaves no account with an active device, or untold, in a crowd', async () => {
    await house.bind({ cookie: 'first', accountId: 'account-first' });
    const bindings = Array.from({ length: 30 }, (_, index) => house.bind({ cookie: `crumb-${index}`, accountId: `account-${index}` }));
    const outcomes = await Promise.all([...bindings.slice(0, 15), house.revoke('alices-device'), ...bindings.slice(15)]);
    const bound = ['account-first', ...outcomes.flatMap((outcome, index) => (outcome === 'bound' ? [`account-${index > 15 ? index - 1 : index}`] : []))];
    expect((await allIsHeard()).map(({ accountId }) => accountId).sort()).toEqual(bound.sort());
    expect(await house.database.query('select from devices where revoked_at is null and device_id <> $1', ['last'])).toHaveLength(0);
  });
});

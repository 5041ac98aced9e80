import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { DeviceRegistered, DeviceRevoked } from '@latchkey/contracts';
import {
  createTestDatabase,
  Explorer,
  interleavingBounds,
  type Rewrite,
  type Scenario,
  type TestDatabase,
  type Work,
} from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger, openDatabase } from '@latchkey/service-defaults';
import type { DataSource } from 'typeorm';
import { BindDevice } from '../../src/bind-device/bind-device.js';
import { BindingStore } from '../../src/binding-store.js';
import { deviceRegistryService } from '../../src/device-registry.service-definition.js';
import { DeviceStore } from '../../src/device-store.js';
import { RevokeDevice } from '../../src/revoke-device/revoke-device.js';

const MERCHANT = 'default';
let database: TestDatabase;
let dataSource: DataSource;
let explorer: Explorer;
let binding: BindDevice;
let revoking: RevokeDevice;

beforeAll(async () => {
  database = await createTestDatabase();
  const { migrations } = deviceRegistryService;
  const logger = createLogger('device-registry', 'silent');
  dataSource = await openDatabase(
    { url: database.url, service: 'device-registry', migrations, poolSizeMax: 10, logger },
    10_000,
  );
  const outbox = new Outbox(dataSource, deviceRegistryService.messaging.says);
  const devices = new DeviceStore(dataSource);
  binding = new BindDevice(outbox, devices, new BindingStore(dataSource));
  revoking = new RevokeDevice(outbox, devices);
  explorer = await Explorer.open(database.url, [dataSource]);
});

afterAll(async () => {
  await explorer.close();
  await dataSource.destroy();
  await database.drop();
});

/**
 * Two cookies of two accounts, and two devices, that no other schedule uses. The first device has bound a cookie
 * before.
 */
class Household {
  readonly cookies = [crypto.randomUUID(), crypto.randomUUID()] as const;
  readonly devices = [`one-${crypto.randomUUID()}`, `two-${crypto.randomUUID()}`] as const;

  bind(cookie: 0 | 1, device: 0 | 1) {
    return binding.bind({
      merchantId: MERCHANT,
      cookie: this.cookies[cookie],
      accountId: `account-${cookie}`,
      deviceId: this.devices[device],
      evidence: 'proof',
      cookieExpiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
  }

  revoke(device: 0 | 1) {
    return revoking.revoke({ merchantId: MERCHANT, deviceId: this.devices[device] });
  }

  /** A binding is published once, and the revocation of a device once for each account that bound it. */
  async judge(results: ReadonlyMap<string, PromiseSettledResult<unknown>>): Promise<string[]> {
    const breaches = [...results].filter(([, { status }]) => status === 'rejected').map(([name]) => `${name} failed`);
    const bindings = await dataSource.query<{ cookie: string; account: string; device: string; revoked: boolean }[]>(
      `select cookie, account_id as account, device_id as device, revoked_at is not null as revoked
       from bindings left join devices using (merchant_id, device_id, evidence) where cookie = any($1)`,
      [this.cookies],
    );
    const events = await dataSource.query<
      { type: string; data: { cookie?: string; accountId: string; deviceId: string } }[]
    >(`select type, data from outbox_events where copy_for is null and data ->> 'deviceId' = any($1)`, [this.devices]);
    const registered = events.filter(({ type }) => type === DeviceRegistered.type);
    if (registered.length !== bindings.length)
      breaches.push(`${bindings.length} bindings were published ${registered.length} times`);
    for (const { account, device } of bindings.filter(({ revoked }) => revoked)) {
      const told = events.filter(
        ({ type, data }) => type === DeviceRevoked.type && data.accountId === account && data.deviceId === device,
      );
      if (told.length !== 1)
        breaches.push(`the revocation of a bound device was published ${told.length} times for its account`);
    }
    return breaches;
  }
}

const scenarioOf = (name: string, workOf: (household: Household) => Work): Scenario => ({
  name,
  prepare: async () => {
    const household = new Household();
    await household.bind(0, 0);
    return { work: workOf(household), judge: (results) => household.judge(results) };
  },
});

const scenarios: Scenario[] = [
  scenarioOf('binding × binding of one cookie', (home) => ({ one: () => home.bind(1, 0), two: () => home.bind(1, 1) })),
  scenarioOf('binding × binding of one device', (home) => ({
    one: () => home.bind(1, 1),
    again: () => home.bind(1, 1),
  })),
  scenarioOf('binding × revocation', (home) => ({ binding: () => home.bind(1, 0), revocation: () => home.revoke(0) })),
  scenarioOf('binding again × revocation', (home) => ({
    binding: () => home.bind(0, 0),
    revocation: () => home.revoke(0),
  })),
  scenarioOf('revocation × revocation', (home) => ({ one: () => home.revoke(0), again: () => home.revoke(0) })),
  scenarioOf('binding × binding × revocation', (home) => ({
    one: () => home.bind(1, 0),
    two: () => home.bind(1, 1),
    revocation: () => home.revoke(0),
  })),
];

describe('the registry', () => {
  it.each(scenarios)(
    '$name',
    async (scenario) => {
      const { broken } = await explorer.explore(scenario, interleavingBounds({ schedulesMax: 60 }));
      expect(broken?.report).toBeUndefined();
    },
    120_000,
  );

  it('is found to bind a revoked device in silence without the device’s lock', async () => {
    const withoutLock: Rewrite = (sql) =>
      sql.replace('select pg_advisory_xact_lock(hashtextextended($1, 0))', 'select $1::text');
    const { broken } = await explorer.explore(scenarios[2]!, interleavingBounds({ schedulesMax: 200 }), withoutLock);
    expect(broken?.breaches).toContain('the revocation of a bound device was published 0 times for its account');
  });
});

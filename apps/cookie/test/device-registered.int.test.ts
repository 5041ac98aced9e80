import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { type InProcessBroker, openInProcessBroker } from '@latchkey/messaging';
import { type CookieUnderTest, startCookie } from './start-cookie.js';

let busDatabase: TestDatabase;
let broker: InProcessBroker;
let house: CookieUnderTest;

beforeAll(async () => {
  busDatabase = await createTestDatabase();
  broker = await openInProcessBroker({ databaseUrl: busDatabase.url, ladder: [{ name: '5s', delayMs: 50 }] });
  house = await startCookie(broker, { LATCHKEY_COOKIE_RETENTION_DAYS: '30' }, 2);
});

afterAll(async () => {
  await house.stop();
  await broker.close();
  await busDatabase.drop();
});

beforeEach(() => house.database.query('truncate cookies, received_events'));

const issue = (merchantId = 'default') => house.requests.ask(requests.issueCookie, { merchantId, accountId: 'alice' });
const boundAt = async (): Promise<Record<string, string | undefined>> => {
  const rows = await house.database.query<{ key: string; boundAt: Date | null }[]>(
    `select merchant_id || ' ' || cookie as key, bound_at as "boundAt" from cookies`,
  );
  return Object.fromEntries(rows.map((row) => [row.key, row.boundAt?.toISOString()]));
};
const settled = () =>
  eventually(async () => {
    const depths = await broker.depths('cookie');
    expect(depths.every(({ queue, messages }) => queue === 'dlq' || messages === 0)).toBe(true);
  });

describe('hearing that devices were registered', () => {
  it('marks the cookies of a batch, and no other', async () => {
    const cookies = (await Promise.all([issue(), issue(), issue()])).map(({ cookie }) => cookie);
    await house.registry.register([cookies[0]!, cookies[2]!].map((cookie) => ({ merchantId: 'default', cookie })));
    await settled();
    expect(await boundAt()).toEqual({
      [`default ${cookies[0]}`]: '2026-11-23T12:00:00.000Z',
      [`default ${cookies[1]}`]: undefined,
      [`default ${cookies[2]}`]: '2026-11-23T12:00:00.000Z',
    });
  });

  it('keeps to the merchant of the event', async () => {
    const { cookie } = await issue();
    await house.registry.register([{ merchantId: 'acme', cookie }]);
    await settled();
    expect(await boundAt()).toEqual({ [`default ${cookie}`]: undefined });
  });

  it('does nothing more when the event comes again, under its own id or another', async () => {
    const { cookie } = await issue();
    const ref = { merchantId: 'default', cookie };
    await house.registry.register([ref, ref], 'first');
    await settled();
    await house.registry.register([ref], 'first');
    await house.registry.register([ref], 'second', '2026-11-23T13:00:00.000Z');
    await settled();
    expect(await boundAt()).toEqual({ [`default ${cookie}`]: '2026-11-23T12:00:00.000Z' });
  });

  it('lets an event go whose cookie is not here, without harm to its neighbour', async () => {
    const { cookie } = await issue();
    await house.registry.register([{ merchantId: 'default', cookie: 'crumb' }, { merchantId: 'default', cookie }]);
    await settled();
    expect(await boundAt()).toEqual({ [`default ${cookie}`]: '2026-11-23T12:00:00.000Z' });
    expect(await broker.quarantined('cookie', 10)).toEqual([]);
  });

  it('forgets nothing of an event whose handling failed', async () => {
    const { cookie } = await issue();
    await house.database.query('alter table cookies rename to cookies_away');
    await house.registry.register([{ merchantId: 'default', cookie }]);
    await eventually(async () => expect((await broker.depths('cookie')).find(({ queue }) => queue === 'retry')?.messages).toBe(1), { intervalMs: 5 });
    expect(await house.database.query('select from received_events')).toEqual([]);
    await house.database.query('alter table cookies_away rename to cookies');
    await eventually(async () => expect(await boundAt()).toEqual({ [`default ${cookie}`]: '2026-11-23T12:00:00.000Z' }));
  });
});

describe('forgetting', () => {
  it('forgets what expired unbound before the retention, and keeps what is bound', async () => {
    const [old, recent, bound, pending] = (await Promise.all([issue(), issue(), issue(), issue()])).map(({ cookie }) => cookie);
    const expire = (cookie: string | undefined, ago: string) =>
      house.database.query('update cookies set expires_at = clock_timestamp() - $2::interval where cookie = $1', [cookie, ago]);
    await Promise.all([expire(old, '30 days 1 minute'), expire(recent, '29 days 23 hours'), expire(bound, '10 years')]);
    await house.database.query('update cookies set bound_at = expires_at where cookie = $1', [bound]);
    const replica = await house.start();
    try {
      await eventually(async () => expect(Object.keys(await boundAt())).not.toContain(`default ${old}`));
      expect(Object.keys(await boundAt()).sort()).toEqual([recent, bound, pending].map((cookie) => `default ${cookie}`).sort());
    } finally {
      await replica.stop();
    }
  });
});

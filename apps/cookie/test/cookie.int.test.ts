import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type CookieRef, type CookieView, requests } from '@latchkey/contracts';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { type InProcessBroker, openInProcessBroker } from '@latchkey/messaging';
import { type CookieUnderTest, startCookie } from './start-cookie.js';

let busDatabase: TestDatabase;
let broker: InProcessBroker;
let house: CookieUnderTest;

beforeAll(async () => {
  busDatabase = await createTestDatabase();
  broker = await openInProcessBroker({ databaseUrl: busDatabase.url, ladder: [{ name: '5s', delayMs: 50 }] });
  house = await startCookie(broker, {}, 2);
});

afterAll(async () => {
  await house.stop();
  await broker.close();
  await busDatabase.drop();
});

beforeEach(async () => {
  await house.database.query('truncate cookies, outbox_events');
  house.registry.heard.length = 0;
  house.registry.bound.clear();
  house.registry.asked = 0;
});

const issue = (input: Partial<Parameters<typeof house.requests.ask<typeof requests.issueCookie.input, typeof requests.issueCookie.output>>[1]> = {}) =>
  house.requests.ask(requests.issueCookie, { merchantId: 'default', accountId: 'alice', ...input });
const get = (cookie: string, merchantId = 'default') => house.requests.ask(requests.getCookie, { merchantId, cookie });
const refOf = ({ cookie }: CookieView, merchantId = 'default'): CookieRef => ({ merchantId, cookie });
const secondsLeft = ({ expiresAt }: CookieView) => (Date.parse(expiresAt) - Date.now()) / 1000;
const countCookies = async () => Number((await house.database.query<{ count: string }[]>('select count(*) from cookies'))[0]!.count);
const expire = (cookie: string, ago = '1 second') =>
  house.database.query(`update cookies set expires_at = clock_timestamp() - $2::interval where cookie = $1`, [cookie, ago]);

describe('issuing', () => {
  it('makes a cookie that waits an hour, and says so', async () => {
    const made = await issue();
    expect(made).toEqual({ cookie: expect.stringMatching(/^[A-Za-z0-9_-]{22,32}$/), accountId: 'alice', state: 'pending', expiresAt: expect.any(String) });
    expect(secondsLeft(made)).toBeGreaterThan(3_590);
    expect(secondsLeft(made)).toBeLessThan(3_610);
    await eventually(() =>
      expect(house.registry.heard).toEqual([{ merchantId: 'default', cookie: made.cookie, accountId: 'alice', expiresAt: made.expiresAt }]),
    );
    expect(await get(made.cookie)).toEqual(made);
  });

  it('takes the lifetime that the merchant names, up to 30 days', async () => {
    expect(secondsLeft(await issue({ ttlSeconds: 2_592_000 }))).toBeGreaterThan(2_591_990);
    await expect(issue({ ttlSeconds: 2_592_001 })).rejects.toMatchObject({ code: 'invalid-request', errors: [{ path: '/ttlSeconds' }] });
    expect(await countCookies()).toBe(1);
  });

  it('makes another cookie each time without an idempotency key', async () => {
    expect((await issue()).cookie).not.toBe((await issue()).cookie);
  });

  it('commits the event with the cookie, or neither', async () => {
    await house.database.query('alter table outbox_events rename to outbox_away');
    try {
      await expect(issue()).rejects.toMatchObject({ code: 'internal' });
    } finally {
      await house.database.query('alter table outbox_away rename to outbox_events');
    }
    expect(await countCookies()).toBe(0);
  });

  it('keeps the event in the outbox until somebody takes it', async () => {
    const declared = house.registry;
    await declared.stop();
    await broker.declare({ service: 'device-registry', hears: [], says: [], asks: [] });
    try {
      const made = await issue();
      const rows = await house.database.query<unknown[]>('select type, data from outbox_events');
      expect(rows).toEqual([{ type: 'cookie.issued.v1', data: { merchantId: 'default', cookie: made.cookie, accountId: 'alice', expiresAt: made.expiresAt } }]);
    } finally {
      await declared.start();
    }
    await eventually(() => expect(declared.heard).toHaveLength(1));
  });
});

describe('an idempotency key', () => {
  it('gets the same answer for the same request, whatever became of the cookie', async () => {
    const first = await issue({ idempotencyKey: 'key', ttlSeconds: 60 });
    await house.database.query('update cookies set bound_at = clock_timestamp()');
    expect(await issue({ idempotencyKey: 'key', ttlSeconds: 60 })).toEqual(first);
    expect(await countCookies()).toBe(1);
    await eventually(() => expect(house.registry.heard).toHaveLength(1));
  });

  it.each([
    { case: 'another account', other: { accountId: 'bob' } },
    { case: 'another lifetime', other: { ttlSeconds: 61 } },
    { case: 'no lifetime', other: { ttlSeconds: undefined } },
  ])('is refused to a request with $case', async ({ other }) => {
    await issue({ idempotencyKey: 'key', ttlSeconds: 60 });
    await expect(issue({ idempotencyKey: 'key', ttlSeconds: 60, ...other })).rejects.toMatchObject({ code: 'idempotency-key-differs' });
    expect(await countCookies()).toBe(1);
  });

  it('belongs to one merchant', async () => {
    const ours = await issue({ idempotencyKey: 'key' });
    const theirs = await issue({ idempotencyKey: 'key', merchantId: 'acme', accountId: 'bob' });
    expect(theirs.cookie).not.toBe(ours.cookie);
  });

  it('gets each of two merchants its own answer again, whichever asked first', async () => {
    const merchants = ['zoo', 'acme', 'default'];
    const calls = merchants.map((merchantId) => ({ merchantId, idempotencyKey: 'key', accountId: `of-${merchantId}`, ttlSeconds: 60 }));
    const first = [];
    for (const call of calls) first.push(await issue(call));
    for (const order of [calls, calls.toReversed()]) {
      for (const call of order) expect(await issue(call)).toEqual(first[calls.indexOf(call)]);
    }
    expect(new Set(first.map(({ cookie }) => cookie)).size).toBe(3);
    await expect(issue({ ...calls[0], accountId: calls[1]!.accountId })).rejects.toMatchObject({ code: 'idempotency-key-differs' });
    expect(await countCookies()).toBe(3);
  });

  it('stands for its request for 24 hours and is free afterwards', async () => {
    const first = await issue({ idempotencyKey: 'key' });
    await house.database.query(`update cookies set issued_at = clock_timestamp() - interval '23 hours 59 minutes'`);
    expect((await issue({ idempotencyKey: 'key' })).cookie).toBe(first.cookie);
    await house.database.query(`update cookies set issued_at = clock_timestamp() - interval '24 hours'`);
    const second = await issue({ idempotencyKey: 'key', accountId: 'bob' });
    expect(second.cookie).not.toBe(first.cookie);
    expect(await get(first.cookie)).toMatchObject({ accountId: 'alice' });
    expect((await issue({ idempotencyKey: 'key', accountId: 'bob' })).cookie).toBe(second.cookie);
  });

  it.each([{ age: '0 hours', cookies: 1 }, { age: '25 hours', cookies: 2 }])('makes one cookie of 40 requests at once, the key last used $age ago', async ({ age, cookies }) => {
    if (cookies === 2) await issue({ idempotencyKey: 'key' });
    await house.database.query('update cookies set issued_at = issued_at - $1::interval', [age]);
    const made = await Promise.all(Array.from({ length: 40 }, () => issue({ idempotencyKey: 'key' })));
    expect(new Set(made.map(({ cookie }) => cookie)).size).toBe(1);
    expect(await countCookies()).toBe(cookies);
    await eventually(() => expect(house.registry.heard).toHaveLength(cookies));
  });
});

describe('showing a cookie', () => {
  it('does not know one that was never made, nor that of another merchant', async () => {
    const made = await issue();
    await expect(get('crumb')).rejects.toMatchObject({ code: 'cookie-unknown', status: 404 });
    await expect(get(made.cookie, 'acme')).rejects.toMatchObject({ code: 'cookie-unknown' });
    house.registry.bound.add(made.cookie);
    await expect(get(made.cookie, 'acme')).rejects.toMatchObject({ code: 'cookie-unknown' });
  });

  it('sees a binding that it has not heard of', async () => {
    const made = await issue();
    house.registry.bound.add(made.cookie);
    expect(await get(made.cookie)).toEqual({ ...made, state: 'bound' });
  });

  it('says that a cookie is expired when its time is over and no device came', async () => {
    const made = await issue();
    await expire(made.cookie);
    expect(await get(made.cookie)).toMatchObject({ state: 'expired' });
    house.registry.bound.add(made.cookie);
    expect(await get(made.cookie)).toMatchObject({ state: 'bound' });
  });

  it('asks nobody about a cookie that it knows to be bound', async () => {
    const made = await issue();
    await house.registry.register([refOf(made)]);
    await eventually(async () => expect(await house.database.query('select from cookies where bound_at is not null')).toHaveLength(1));
    await expire(made.cookie);
    house.registry.asked = 0;
    expect(await get(made.cookie)).toMatchObject({ state: 'bound' });
    expect(house.registry.asked).toBe(0);
  });

  it('would rather be unavailable than guess, without a registry', async () => {
    const made = await issue();
    await house.registry.stop();
    try {
      await expect(get(made.cookie)).rejects.toMatchObject({ code: 'unavailable', status: 503, retryAfterSeconds: 1 });
    } finally {
      await house.registry.start();
    }
  });

  it('would rather be unavailable than guess, with a registry that hangs', async () => {
    const made = await issue();
    await house.registry.stop();
    let wake: (answer: Buffer) => void = () => undefined;
    const hanging = await broker.serve('device-registry', () => new Promise((resolve) => (wake = resolve)));
    try {
      // Not the asker's own time-out, which would name the cookie service.
      await expect(get(made.cookie)).rejects.toMatchObject({ code: 'unavailable', detail: 'device-registry does not answer' });
    } finally {
      wake(Buffer.alloc(0));
      await hanging.stop();
      await house.registry.start();
    }
  });
});

describe('looking cookies up', () => {
  it('finds those that exist, each once, and asks nobody', async () => {
    const ours = await issue();
    const theirs = await issue({ merchantId: 'acme', accountId: 'bob' });
    const { cookies } = await house.requests.ask(requests.lookUpCookies, {
      cookies: [refOf(ours), refOf(ours), refOf(theirs, 'acme'), refOf(theirs), { merchantId: 'default', cookie: 'crumb' }],
    });
    expect(cookies).toHaveLength(2);
    expect(cookies).toContainEqual({ ...refOf(ours), accountId: 'alice', expiresAt: ours.expiresAt });
    expect(cookies).toContainEqual({ ...refOf(theirs, 'acme'), accountId: 'bob', expiresAt: theirs.expiresAt });
    expect(house.registry.asked).toBe(0);
    expect(await house.requests.ask(requests.lookUpCookies, { cookies: [] })).toEqual({ cookies: [] });
  });
});

describe('adopting a cookie that its merchant made up', () => {
  const adopt = (cookie: string, merchantId = 'default') => house.requests.ask(requests.adoptCookie, { merchantId, cookie });

  it('makes it where it is new, for an account of its own and 30 days, and says so', async () => {
    const made = await adopt('a+b/c==');
    expect(made).toEqual({ cookie: 'a+b/c==', accountId: 'cookie:612b622f633d3d', state: 'pending', expiresAt: expect.any(String) });
    expect(secondsLeft(made)).toBeGreaterThan(2_591_990);
    expect(secondsLeft(made)).toBeLessThan(2_592_010);
    await eventually(() =>
      expect(house.registry.heard).toEqual([{ merchantId: 'default', cookie: 'a+b/c==', accountId: made.accountId, expiresAt: made.expiresAt }]),
    );
    expect(await get('a+b/c==')).toEqual(made);
  });

  it('shows it as it stands where it exists, whoever made it, and says nothing', async () => {
    const issued = await issue();
    expect(await adopt(issued.cookie)).toEqual(issued);
    house.registry.bound.add(issued.cookie);
    expect(await adopt(issued.cookie)).toEqual({ ...issued, state: 'bound' });
    await eventually(() => expect(house.registry.heard).toHaveLength(1));
    await expire((await adopt('over')).cookie);
    expect(await adopt('over')).toMatchObject({ state: 'expired' });
    expect(await countCookies()).toBe(2);
  });

  it('says of a new one that it is bound where the registry has a device for it', async () => {
    house.registry.bound.add('forgotten-here');
    expect(await adopt('forgotten-here')).toMatchObject({ state: 'bound' });
  });

  it('makes one, and says so once, for forty requests at once', async () => {
    const views = await Promise.all(Array.from({ length: 40 }, () => adopt('same+time')));
    expect(new Set(views.map((view) => JSON.stringify(view))).size).toBe(1);
    await adopt('last');
    await eventually(() => expect(house.registry.heard.map(({ cookie }) => cookie)).toContain('last'));
    expect(house.registry.heard.map(({ cookie }) => cookie).sort()).toEqual(['last', 'same+time']);
  });

  it('keeps merchants apart that made up the same', async () => {
    const { accountId } = await adopt('same');
    expect(await adopt('same', 'acme')).toMatchObject({ accountId, state: 'pending' });
    expect(await countCookies()).toBe(2);
  });
});

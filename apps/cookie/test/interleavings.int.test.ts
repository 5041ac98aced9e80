import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTestDatabase,
  Explorer,
  interleavingBounds,
  type Rewrite,
  type Scenario,
  type TestDatabase,
} from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger, openDatabase, readConfiguration } from '@latchkey/service-defaults';
import type { DataSource } from 'typeorm';
import { AdoptCookie } from '../src/adopt-cookie.js';
import { cookieService } from '../src/cookie.service-definition.js';
import { CookieStore } from '../src/cookie-store.js';
import { GetCookie } from '../src/get-cookie.js';
import { IssueCookie } from '../src/issue-cookie.js';

const MERCHANT = 'default';
let database: TestDatabase;
let dataSource: DataSource;
let explorer: Explorer;
let outbox: Outbox;
let store: CookieStore;
let issuing: IssueCookie;

beforeAll(async () => {
  database = await createTestDatabase();
  const { migrations, messaging, settings } = cookieService;
  const logger = createLogger('cookie', 'silent');
  dataSource = await openDatabase(
    { url: database.url, service: 'cookie', migrations, poolSizeMax: 10, logger },
    10_000,
  );
  outbox = new Outbox(dataSource, messaging.says);
  store = new CookieStore(dataSource);
  issuing = new IssueCookie(
    outbox,
    store,
    readConfiguration(settings, { DATABASE_URL: database.url, AMQP_URL: 'amqp://unused' }),
  );
  explorer = await Explorer.open(database.url, [dataSource]);
});

afterAll(async () => {
  await explorer.close();
  await dataSource.destroy();
  await database.drop();
});

type Results = ReadonlyMap<string, PromiseSettledResult<unknown>>;
const failuresOf = (results: Results): string[] =>
  [...results].flatMap(([name, result]) =>
    result.status === 'rejected' ? [`${name} failed: ${String(result.reason)}`] : [],
  );

/** Cookies of an account, and how many `CookieIssued` there are of it. */
async function countOf(accountId: string): Promise<{ cookies: number; events: number }> {
  const [found] = await dataSource.query<{ cookies: number; events: number }[]>(
    `select (select count(*)::int from cookies where account_id = $1) as cookies,
       (select count(*)::int from outbox_events where copy_for is null and data ->> 'accountId' = $1) as events`,
    [accountId],
  );
  return found!;
}

/** Two calls with one idempotency key. `old` leaves a cookie behind whose key is free again. */
const issueTwice = (old: boolean): Scenario => ({
  name: `issue × issue with one idempotency key${old ? ' that is free again' : ''}`,
  prepare: async () => {
    const accountId = crypto.randomUUID();
    const request = { merchantId: MERCHANT, accountId, idempotencyKey: crypto.randomUUID() };
    if (old) {
      await issuing.issue(request);
      await dataSource.query(`update cookies set issued_at = issued_at - interval '25 hours' where account_id = $1`, [
        accountId,
      ]);
    }
    return {
      work: {
        one: () => issuing.issue(request),
        two: () => issuing.issue(request),
        three: () => issuing.issue(request),
      },
      judge: async (results) => {
        const answers = [...results.values()].map((result) =>
          result.status === 'fulfilled' ? JSON.stringify(result.value) : 'none',
        );
        const { cookies, events } = await countOf(accountId);
        const made = old ? 2 : 1;
        const counted =
          cookies === made && events === made ? [] : [`${cookies} cookies and ${events} events instead of ${made}`];
        return [...failuresOf(results), ...counted, ...(new Set(answers).size === 1 ? [] : ['two answers differ'])];
      },
    };
  },
});

const adoptTwice: Scenario = {
  name: 'adopt × adopt of one cookie',
  prepare: async () => {
    const ref = { merchantId: MERCHANT, cookie: crypto.randomUUID() };
    // The view is of no interest here: only whether the cookie is made once.
    const unknown = { get: () => Promise.resolve('cookie-unknown' as const) } as unknown as GetCookie;
    const adopt = () => new AdoptCookie(outbox, store, unknown).adopt(ref);
    return {
      work: { one: adopt, two: adopt },
      judge: async (results) => {
        const events = await dataSource.query<unknown[]>(
          `select 1 from outbox_events where copy_for is null and data ->> 'cookie' = $1`,
          [ref.cookie],
        );
        return [
          ...failuresOf(results),
          ...(events.length === 1 ? [] : [`the cookie was published ${events.length} times`]),
        ];
      },
    };
  },
};

const boundInBatches: Scenario = {
  name: 'bindings × bindings × retention of the same cookies',
  prepare: async () => {
    const accountId = crypto.randomUUID();
    for (let count = 0; count < 3; count += 1) await issuing.issue({ merchantId: MERCHANT, accountId });
    await dataSource.query(`update cookies set expires_at = expires_at - interval '90 days' where account_id = $1`, [
      accountId,
    ]);
    const made = await dataSource.query<{ cookie: string }[]>('select cookie from cookies where account_id = $1', [
      accountId,
    ]);
    const heard = made.map(({ cookie }) => ({ merchantId: MERCHANT, cookie, registeredAt: new Date().toISOString() }));
    const mark = (bindings: typeof heard) => () => outbox.transaction((tx) => store.markBound(tx, bindings));
    return {
      work: { forward: mark(heard), backward: mark([...heard].reverse()), retention: () => store.prune(30, 100) },
      judge: async (results) => {
        const left = await dataSource.query<{ bound: boolean }[]>(
          'select bound_at is not null as bound from cookies where account_id = $1',
          [accountId],
        );
        return [
          ...failuresOf(results),
          ...(left.every(({ bound }) => bound) ? [] : ['a cookie is neither bound nor removed']),
        ];
      },
    };
  },
};

describe('the cookie service', () => {
  it.each([issueTwice(false), issueTwice(true), adoptTwice, boundInBatches])(
    '$name',
    async (scenario) => {
      const { broken } = await explorer.explore(scenario, interleavingBounds({ schedulesMax: 80 }));
      expect(broken?.report).toBeUndefined();
    },
    120_000,
  );

  it('is found to make two cookies for one idempotency key without its index condition', async () => {
    const forgetful: Rewrite = (sql) =>
      sql.includes('insert into cookies')
        ? sql.replace(
            'make_interval(secs => $4), $5, $6',
            'make_interval(secs => $4), $5::text || gen_random_uuid(), $6',
          )
        : sql;
    const { broken } = await explorer.explore(issueTwice(false), interleavingBounds(), forgetful);
    expect(broken?.breaches).toContain('two answers differ');
  });
});

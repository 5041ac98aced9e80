import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { say, TokenRevoked } from '@latchkey/contracts';
import { type Bounds, Explorer, interleavingBounds, type Rewrite, type Scenario } from '@latchkey/kits';
import type { Delivery } from '@latchkey/messaging';
import type { DataSource } from 'typeorm';
import { handleOnce, Outbox, Relay, type RelayOptions } from '../../src/index.js';
import { openOutboxDatabase } from '../outbox-database.js';
import { ScriptedBroker } from '../scripted-broker.js';

let dataSource: DataSource;
let close: () => Promise<void>;
let outbox: Outbox;
let explorer: Explorer;

beforeAll(async () => {
  ({ dataSource, close } = await openOutboxDatabase());
  outbox = new Outbox(dataSource, [say(TokenRevoked)]);
  // Relays meet in the outbox itself, so that no table is left out here.
  explorer = await Explorer.open((dataSource.options as { url: string }).url, [dataSource], []);
});

afterAll(async () => {
  await explorer.close();
  await close();
});

const bounds: Bounds = interleavingBounds({ schedulesMax: 60 });
const breachesOf = async (scenario: Scenario, rewrite?: Rewrite): Promise<readonly string[]> =>
  (await explorer.explore(scenario, bounds, rewrite)).broken?.breaches ?? [];

describe('two replicas with overlapping batches of events', () => {
  const scenario: Scenario = {
    name: 'inbox × inbox',
    prepare: async () => {
      const [one, two, three] = [crypto.randomUUID(), crypto.randomUUID(), crypto.randomUUID()];
      const delivery = (id: string): Delivery => ({
        event: { specversion: '1.0', id, source: '/s', type: 't', data: {} },
        attempt: 1,
      });
      const handle = (...ids: string[]) =>
        handleOnce(outbox, ids.map(delivery), async (tx, fresh) => {
          const count = `insert into effects values ($1) on conflict (id) do update set times = effects.times + 1`;
          for (const { event } of fresh) await tx.rows(count, [event.id]);
          return new Map();
        });
      return {
        work: { first: () => handle(one, two), second: () => handle(three, two, one) },
        judge: async (results) => {
          const sql = 'select times from effects where id = any($1)';
          const effects = await dataSource.query<{ times: number }[]>(sql, [[one, two, three]]);
          const failed = [...results]
            .filter(([, { status }]) => status === 'rejected')
            .map(([name]) => `${name} failed`);
          const lost = effects.length < 3 ? [`${effects.length} of 3 events had an effect`] : [];
          return [
            ...failed,
            ...lost,
            ...effects.filter(({ times }) => times > 1).map(({ times }) => `an event had ${times} effects`),
          ];
        },
      };
    },
  };

  it('apply each event once in every order', async () => {
    expect((await explorer.explore(scenario, bounds)).broken?.report).toBeUndefined();
  });

  it('are found to apply one twice without the inbox', async () => {
    const withoutInbox: Rewrite = (sql) =>
      sql.includes('insert into received_events')
        ? sql.replace(
            'on conflict do nothing',
            'on conflict (source, event_id, slot) do update set event_id = excluded.event_id',
          )
        : sql;
    expect(await breachesOf(scenario, withoutInbox)).toContain('an event had 2 effects');
  });
});

describe('two relays of one outbox', () => {
  const observer = new Proxy({}, { get: () => () => undefined }) as RelayOptions['observer'];
  const scenario: Scenario = {
    name: 'relay × relay',
    prepare: async () => {
      await dataSource.query('truncate outbox_events');
      const broker = new ScriptedBroker();
      const now = '2026-11-23T12:00:00Z';
      await outbox.transaction(async (tx) => {
        for (const tokenId of ['t1', 't2', 't3'])
          tx.append(TokenRevoked, { merchantId: 'm', tokenId, reason: 'refunded', revokedAt: now, expiresAt: now });
      });
      // A relay that is stopped relays one batch before it ends.
      const relayOnce = () =>
        new Relay({ dataSource, broker: broker.asBroker(), service: 'token-issuer', observer }).stop();
      return {
        work: { first: relayOnce, second: relayOnce },
        judge: async () => {
          await relayOnce();
          const times = Object.groupBy(broker.published, ({ id }) => id);
          const lost = Object.keys(times).length < 3 ? ['an event is lost'] : [];
          return [
            ...lost,
            ...Object.values(times)
              .filter((list) => list!.length > 1)
              .map((list) => `an event was published ${list!.length} times`),
          ];
        },
      };
    },
  };

  it('publish each event once in every order', async () => {
    expect((await explorer.explore(scenario, bounds)).broken?.report).toBeUndefined();
  });

  it('are found to publish one twice without their row locks', async () => {
    const withoutLocks: Rewrite = (sql) => sql.replace(/for update( of \w+)? skip locked/i, '');
    expect(await breachesOf(scenario, withoutLocks)).toContain('an event was published 2 times');
  });
});

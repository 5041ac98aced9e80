import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Bounds, Explorer, interleavingBounds, type Rewrite, type Scenario } from '@latchkey/kits';
import type { Delivery } from '@latchkey/messaging';
import type { DataSource } from 'typeorm';
import { handleOnce, Outbox } from '../../src/index.js';
import { databaseAt } from '../database-at.js';
import { openOutboxDatabase } from '../outbox-database.js';

let dataSource: DataSource;
let close: () => Promise<void>;
let [before, after]: DataSource[] = [];
let explorer: Explorer;

beforeAll(async () => {
  ({ dataSource, close } = await openOutboxDatabase());
  before = await databaseAt(dataSource, '2026-11-22T23:59:59.999Z');
  after = await databaseAt(dataSource, '2026-11-23T00:00:00.001Z');
  explorer = await Explorer.open((dataSource.options as { url: string }).url, [before, after]);
});

afterAll(async () => {
  await explorer.close();
  await Promise.all([before!.destroy(), after!.destroy()]);
  await close();
});

const bounds: Bounds = interleavingBounds({ schedulesMax: 60 });

const delivery = (id: string): Delivery => ({
  event: { specversion: '1.0', id, source: '/s', type: 't', data: {} },
  attempt: 1,
});

describe('two replicas on both sides of midnight', () => {
  const scenario: Scenario = {
    name: 'inbox × inbox at midnight',
    prepare: async () => {
      const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
      const handle = (source: DataSource, ...ids: string[]) =>
        handleOnce(
          new Outbox(source, []),
          ids.map(delivery),
          async (tx, fresh) => {
            const count = `insert into effects values ($1) on conflict (id) do update set times = effects.times + 1`;
            for (const { event } of fresh) await tx.rows(count, [event.id]);
            return new Map();
          },
        );
      return {
        work: { before: () => handle(before!, one, two), after: () => handle(after!, two, one) },
        judge: async () => {
          const sql = 'select times from effects where id = any($1)';
          const effects = await dataSource.query<{ times: number }[]>(sql, [[one, two]]);
          return [
            ...(effects.length < 2 ? ['an event had no effect'] : []),
            ...effects.filter(({ times }) => times > 1).map(({ times }) => `an event had ${times} effects`),
          ];
        },
      };
    },
  };

  it('apply each event once in every order', async () => {
    expect((await explorer.explore(scenario, bounds)).broken?.report).toBeUndefined();
  });

  it('are found to apply one twice if each marks it in the partition of its own day alone', async () => {
    const ownDayAlone: Rewrite = (sql) => sql.replaceAll("interval '1 hour'", "interval '0 hours'");
    const { broken } = await explorer.explore(scenario, bounds, ownDayAlone);
    expect(broken?.breaches).toContain('an event had 2 effects');
  });
});

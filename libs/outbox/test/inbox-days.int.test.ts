import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Delivery, done } from '@latchkey/messaging';
import { createTestDatabase } from '@latchkey/kits';
import { DataSource } from 'typeorm';
import { handleOnce, Outbox, outboxMigrations, pruneInbox } from '../src/index.js';
import { databaseAt } from './database-at.js';
import { openOutboxDatabase } from './outbox-database.js';

const delivery = (id: string): Delivery => ({
  event: { specversion: '1.0', id, source: '/s', type: 't', data: {} },
  attempt: 1,
});

/** Handles the events, and returns the ids of those that had an effect. */
async function handle(dataSource: DataSource, ...ids: string[]): Promise<string[]> {
  const applied: string[] = [];
  await handleOnce(new Outbox(dataSource, []), ids.map(delivery), async (_tx, fresh) => {
    applied.push(...fresh.map(({ event }) => event.id));
    return new Map();
  });
  return applied.sort();
}

/** What the version before this one sends to mark events, to take a mark back, and to purge. */
const previous = {
  mark: `insert into inbox_events (source, event_id)
     select source, event_id from unnest($1::text[], $2::text[]) as received (source, event_id)
     order by source, event_id
     on conflict do nothing
     returning source, event_id`,
  unmark: `delete from inbox_events using unnest($1::text[], $2::text[]) as given (source, event_id)
     where inbox_events.source = given.source and inbox_events.event_id = given.event_id`,
  purge: `delete from inbox_events where ctid = any(array(
         select ctid from inbox_events where received_at < clock_timestamp() - make_interval(days => $1) limit $2))`,
};

async function handleByPrevious(dataSource: DataSource, ...ids: string[]): Promise<string[]> {
  const rows = await dataSource.query<{ event_id: string }[]>(previous.mark, [ids.map(() => '/s'), ids]);
  return rows.map((row) => row.event_id).sort();
}

describe('the inbox of many days', () => {
  let dataSource: DataSource;
  let close: () => Promise<void>;
  const opened: DataSource[] = [];
  const at = async (time: string): Promise<DataSource> => {
    const source = await databaseAt(dataSource, time);
    opened.push(source);
    return source;
  };
  const marks = async (): Promise<string[]> => {
    const sql = 'select distinct event_id from received_events order by event_id';
    return (await dataSource.query<{ event_id: string }[]>(sql)).map((row) => row.event_id);
  };

  beforeAll(async () => {
    ({ dataSource, close } = await openOutboxDatabase());
  });
  afterAll(() => close());
  beforeEach(() => dataSource.query('truncate inbox_events, received_events'));
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((source) => source.destroy()));
  });

  it('recognises an event on each day of its retention', async () => {
    expect(await handle(await at('2026-11-10T12:00:00Z'), 'a')).toEqual(['a']);
    for (let day = 10; day <= 24; day += 1) {
      const today = await at(`2026-11-${day}T13:00:00Z`);
      expect(await handle(today, 'a', `new-${day}`)).toEqual([`new-${day}`]);
      await pruneInbox(today);
    }
  });

  it.each(['23:59:59.999', '00:00:00', '00:59:59.999', '01:00:00', '01:00:00.001'])(
    'recognises at any time of the day what was received around midnight (%s)',
    async (time) => {
      const times = ['2026-11-22T23:30:00Z', '2026-11-22T23:59:59.999Z', '2026-11-23T00:00:00Z', `2026-11-23T${time}Z`];
      for (const [index, first] of times.entries()) {
        expect(await handle(await at(first), `e${index}`)).toEqual([`e${index}`]);
        for (const later of times) expect(await handle(await at(later), `e${index}`)).toEqual([]);
      }
    },
  );

  it('looks for an event of Latchkey on the days since its time, and for one of a merchant on all', async () => {
    const handleOf = async (source: string, receivedAt: string, time: string): Promise<number> => {
      let applied = 0;
      const event = { ...delivery('x').event, source, time };
      await handleOnce(new Outbox(await at(receivedAt), []), [{ event, attempt: 1 }], async (_tx, fresh) => {
        applied += fresh.length;
        return new Map();
      });
      return applied;
    };
    for (const source of ['/latchkey/cookie', '/merchant']) {
      expect(await handleOf(source, '2026-11-10T12:00:00Z', '2026-11-10T12:00:30Z')).toBe(1);
      for (const day of [11, 17, 24]) {
        expect(await handleOf(source, `2026-11-${day}T00:30:00Z`, '2026-11-10T12:00:30Z')).toBe(0);
        expect(await handleOf(source, `2026-11-${day}T12:00:00Z`, '2026-11-10T12:00:30Z')).toBe(0);
      }
    }
    await dataSource.query('truncate received_events');
    await handleOf('/merchant', '2026-11-10T12:00:00Z', '2026-11-10T12:00:00Z');
    expect(await handleOf('/merchant', '2026-11-17T12:00:00Z', '2026-11-17T12:00:00Z')).toBe(0);
    expect(await handleOf('/latchkey/gateway', '2026-11-17T12:00:00Z', '2036-01-01T00:00:00Z')).toBe(1);
    expect(await handleOf('/latchkey/gateway', '2026-11-18T12:00:00Z', '2036-01-01T00:00:00Z')).toBe(0);
  });

  it('empties the partition of the coming day, and no other', async () => {
    for (let day = 1; day <= 16; day += 1) {
      const twoDigits = String(day).padStart(2, '0');
      await handle(await at(`2026-11-${twoDigits}T12:00:00Z`), `day-${twoDigits}`);
    }
    await pruneInbox(await at('2026-11-16T12:00:00Z'));
    const kept = Array.from({ length: 15 }, (_, index) => `day-${String(index + 2).padStart(2, '0')}`);
    expect(await marks()).toEqual(kept);
  });

  it('keeps what was received after midnight when the partition could not be emptied before', async () => {
    await handle(await at('2026-11-01T12:00:00Z'), 'old');
    const today = await at('2026-11-17T12:00:00Z');
    await handle(today, 'young');
    await pruneInbox(today);
    expect(await marks()).toEqual(['old', 'young']);
  });

  it('gives up emptying while a handler works in that partition, and does so later', async () => {
    await handle(await at('2026-11-01T12:00:00Z'), 'old');
    const eve = await at('2026-11-16T12:00:00Z');
    const reader = dataSource.createQueryRunner();
    await reader.startTransaction();
    await reader.query('select from received_events');
    await expect(pruneInbox(eve)).rejects.toMatchObject({ code: '55P03' });
    await reader.rollbackTransaction();
    await reader.release();
    await pruneInbox(eve);
    expect(await marks()).toEqual([]);
  });

  it('ends a purge between two batches when the service stops', async () => {
    await dataSource.query('alter table inbox_events disable trigger user');
    await dataSource.query(
      `insert into inbox_events select '/s', n::text, now() - interval '15 days' from generate_series(1, 25000) as n`,
    );
    await dataSource.query('alter table inbox_events enable trigger user');
    let batches = 0;
    await pruneInbox(dataSource, () => (batches += 1) > 1);
    const count = async (): Promise<number> =>
      (await dataSource.query<{ n: number }[]>('select count(*)::int as n from inbox_events'))[0]!.n;
    expect(await count()).toBe(15_000);
    await pruneInbox(dataSource);
    expect(await count()).toBe(0);
  });

  it('shares its memory with replicas of the version before, in both directions', async () => {
    expect(await handleByPrevious(dataSource, 'a', 'b')).toEqual(['a', 'b']);
    expect(await handle(dataSource, 'a', 'c')).toEqual(['c']);
    expect(await handleByPrevious(dataSource, 'a', 'c', 'd')).toEqual(['d']);
    await dataSource.query(previous.unmark, [['/s'], ['d']]);
    expect(await handle(dataSource, 'd')).toEqual(['d']);
    await dataSource.query(previous.purge, [14, 10_000]);
    expect(await handleByPrevious(dataSource, 'a', 'b', 'c', 'd')).toEqual([]);
  });

  it('does not remember, for either version, what is to be retried', async () => {
    const wait = { kind: 'retry', reason: 'early' } as const;
    const outbox = new Outbox(dataSource, []);
    const batch = [delivery('a'), delivery('b')];
    const verdicts = await handleOnce(outbox, batch, async (_tx, [first]) => new Map([[first!, wait]]));
    expect(verdicts).toEqual([wait, done]);
    expect(await handleByPrevious(dataSource, 'a', 'b')).toEqual(['a']);
  });

  it('applies an event once that both versions are given at the same time', async () => {
    for (let round = 0; round < 20; round += 1) {
      const id = `r${round}`;
      const results = await Promise.all([handle(dataSource, id), handleByPrevious(dataSource, id)]);
      expect(results.flat()).toEqual([id]);
    }
  });
});

describe('the migration to the inbox of many days', () => {
  it('knows what the version before received, and the version before knows it after a rollback', async () => {
    const database = await createTestDatabase();
    const last = outboxMigrations.findIndex(({ name }) => name.startsWith('PartitionInbox'));
    const open = (migrations: number): Promise<DataSource> =>
      new DataSource({
        type: 'postgres',
        url: database.url,
        migrations: outboxMigrations.slice(0, migrations),
      }).initialize();
    const before = await open(last);
    await before.runMigrations({ transaction: 'each' });
    await handleByPrevious(before, 'a');
    await before.destroy();
    const after = await open(last + 1);
    await after.runMigrations({ transaction: 'each' });
    expect(await handle(after, 'a', 'b')).toEqual(['b']);
    await after.undoLastMigration();
    expect(await handleByPrevious(after, 'a', 'b', 'c')).toEqual(['c']);
    await after.destroy();
    await database.drop();
  });
});

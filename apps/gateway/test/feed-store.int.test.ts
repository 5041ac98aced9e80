import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger, openDatabase } from '@latchkey/service-defaults';
import type { DataSource } from 'typeorm';
import { FeedStore, type HeardEvent } from '../src/feed/feed-store.js';
import { gatewayService } from '../src/index.js';

let database: TestDatabase;
let dataSource: DataSource;
let outbox: Outbox;
let store: FeedStore;

beforeAll(async () => {
  database = await createTestDatabase();
  const { migrations } = gatewayService;
  dataSource = await openDatabase({ url: database.url, service: 'gateway', migrations, poolSizeMax: 10, logger: createLogger('test', 'silent') }, 10_000);
  outbox = new Outbox(dataSource, []);
  store = new FeedStore(dataSource, outbox);
});
afterAll(async () => {
  await dataSource?.destroy();
  await database.drop();
});
beforeEach(async () => {
  await dataSource.query('truncate feed_events');
  await dataSource.query('update feed_state set last_sequence = 0');
});

const event = (name: string, merchantId = 'default'): HeardEvent => ({ merchantId, type: 'test.v1', data: { name } });
const append = (...names: string[]): Promise<void> => outbox.transaction((tx) => store.append(tx, names.map((name) => event(name))));
const numbered = async (): Promise<string[]> => (await store.after(0, 1_000)).map(({ sequence, data }) => `${sequence} ${(JSON.parse(data) as { name: string }).name}`);

describe('the numbers of the feed', () => {
  it('are given in the order of storing, within a transaction and over several', async () => {
    await append('a', 'b', 'c');
    await append('d');
    expect(await store.number()).toBe(4);
    expect(await numbered()).toEqual(['1 a', '2 b', '3 c', '4 d']);
    expect(await store.lastSequence()).toBe(4);
    expect(await store.number()).toBe(0);
  });

  it('go by commit: what commits late is given a higher number, so that nobody who is ahead misses it', async () => {
    let commitLate: () => void = () => undefined;
    const late = outbox.transaction(async (tx) => {
      await store.append(tx, [event('late')]);
      await new Promise<void>((resolve) => (commitLate = resolve));
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    await append('early');
    await store.number();
    expect(await numbered()).toEqual(['1 early']);
    commitLate();
    await late;
    expect(await store.hasUnnumbered()).toBe(true);
    await store.number();
    expect(await numbered()).toEqual(['1 early', '2 late']);
  });

  it('are given by one writer at a time, whose numbers are visible before the next begins', async () => {
    const names = Array.from({ length: 200 }, (_, n) => `event ${n}`);
    let highest = 0;
    let done = false;
    const reader = (async () => {
      // Whoever reads on from the highest number must have met every lower one.
      while (!done) {
        for (const { sequence } of await store.after(highest, 1_000)) {
          expect(sequence).toBe(highest + 1);
          highest = sequence;
        }
      }
    })();
    const writers = [0, 1, 2, 3].map(async (writer) => {
      for (let n = writer; n < names.length; n += 4) {
        await append(names[n]!);
        await store.number();
      }
    });
    await Promise.all(writers).finally(() => (done = true));
    await reader;
    expect((await store.after(0, 1_000)).map(({ sequence }) => sequence)).toEqual(names.map((_, n) => n + 1));
  });
});

describe('an event with text that PostgreSQL cannot decode', () => {
  const odd = 'a\u0000b \ud800 "c"\n\\u0000';

  it('is stored and read as it was said, and its neighbours with it', async () => {
    const refund = { merchantId: 'default', type: 'test.v1', data: { name: 'odd', purchaseId: 'order-1', reason: odd } };
    await outbox.transaction((tx) => store.append(tx, [event('a'), refund, event('b')]));
    expect(await store.number()).toBe(3);
    expect(await numbered()).toEqual(['1 a', '2 odd', '3 b']);
    const ofMerchant = await store.ofMerchantAfter('default', 0, 10);
    expect(ofMerchant.map(({ purchaseId }) => purchaseId)).toEqual([undefined, 'order-1', undefined]);
    expect(JSON.parse(ofMerchant[1]!.data)).toEqual(refund.data);
  });

  it.each([odd, 7, null, { id: 'order-1' }, 'x'.repeat(129)])('is kept without a purchase where its purchaseId is none: %j', async (purchaseId) => {
    const data = { name: 'odd', purchaseId };
    await outbox.transaction((tx) => store.append(tx, [{ merchantId: 'default', type: 'test.v1', data }, event('b')]));
    await store.number();
    const [stored, neighbour] = await store.after(0, 10);
    expect([stored!.purchaseId, JSON.parse(stored!.data), neighbour!.sequence]).toEqual([undefined, data, 2]);
  });
});

describe('old events', () => {
  it('are forgotten after their time, in bites, and never before they had a number', async () => {
    await append('a', 'b', 'c', 'd');
    await dataSource.query(`update feed_events set received_at = now() - interval '8 days' where position < (select max(position) from feed_events)`);
    expect(await store.prune(7, 10)).toBe(0);
    await store.number();
    expect(await store.prune(7, 2)).toBe(2);
    expect(await store.prune(7, 2)).toBe(1);
    expect(await numbered()).toEqual(['4 d']);
    await append('e');
    await store.number();
    expect(await numbered()).toEqual(['4 d', '5 e']);
  });
});

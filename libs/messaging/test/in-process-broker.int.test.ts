import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { Client } from 'pg';
import { BATCH_SIZE_MAX, done, type RawMessage, type Verdict } from '../src/broker.js';
import { openInProcessBroker } from '../src/in-process-broker.js';
import { describeBrokerContract } from './broker-contract.js';
import { cookieService, depthsOf, issuer, many, registered, remembering, revoked } from './contract-fixtures.js';
import { Buses } from './bus-in-process.js';

describeBrokerContract('the in-process bus', async (settings) => {
  const database = await createTestDatabase();
  const broker = await openInProcessBroker({ databaseUrl: database.url, ...settings });
  return {
    broker,
    dispose: async () => {
      await broker.close();
      await database.drop();
    },
  };
});

describe('the in-process bus', () => {
  let database: TestDatabase;
  let buses: Buses;

  beforeEach(async () => {
    database = await createTestDatabase();
    buses = new Buses(database.url);
  });

  afterEach(async () => {
    await buses.closeAll();
    await database.drop();
  });

  it('answers unroutable before any service has declared itself', async () => {
    const bus = await openInProcessBroker({ databaseUrl: database.url });
    expect(await bus.publish([registered('a')])).toEqual(['unroutable']);
    await bus.close();
  });

  it('hands over letter for letter what PostgreSQL would refuse or rewrite', async () => {
    const bus = await buses.open();
    const strange = { ...registered('nul \0'), correlationid: 'nul \0, half a pair \ud800', data: { quote: '"\\\0{},NULL' } };
    expect(await bus.publish([strange])).toEqual(['confirmed']);
    const { handler, seen } = remembering(() => ({ kind: 'quarantine', reason: 'nul \0' }));
    await bus.consume(cookieService, handler);
    const [message] = await eventually(async () => {
      const list = await bus.quarantined('cookie', 10);
      expect(list).toMatchObject([{ id: 'nul ', reason: 'nul ' }]);
      return seen();
    });
    expect(message!.headers).toMatchObject({ cloudEvents_id: strange.id, cloudEvents_correlationid: strange.correlationid });
    expect(message!.body).toEqual(Buffer.from(JSON.stringify(strange.data)));
    expect(await bus.redrive('cookie', [strange.id])).toBe(1);
  });

  it('wakes an idle consumer at once, without waiting for it to look', async () => {
    const bus = await buses.open();
    const { handler, ids } = remembering();
    await bus.consume(issuer, handler);
    await delay(100);
    const publishedMs = performance.now();
    await bus.publish([revoked('a')]);
    await eventually(() => expect(ids()).toEqual(['a']), { intervalMs: 2 });
    expect(performance.now() - publishedMs).toBeLessThan(3_000);
  });

  it('brings a retry to an idle consumer in time, when the one that put it there has left', async () => {
    const bus = await buses.open({ ladder: [{ name: 'a', delayMs: 300 }] });
    // The handler takes its time, so that the other consumer has looked and lies idle before there is a retry to wait for.
    const verdictOf = ({ attempt }: RawMessage): Promise<Verdict> => delay(100, attempt === 1 ? { kind: 'retry', reason: 'not yet' } : done);
    const consumers = [remembering(verdictOf), remembering(verdictOf)];
    const running = await Promise.all(consumers.map(({ handler }) => bus.consume(issuer, handler)));
    await bus.publish([revoked('a')]);
    await eventually(async () => expect(await depthsOf(bus, issuer)).toMatchObject({ retry: 1 }), { intervalMs: 5 });
    const first = consumers.findIndex(({ ids }) => ids().length > 0);
    await running[first]!.stop();
    await eventually(
      () => expect(consumers[1 - first]!.seen()).toMatchObject([{ attempt: 2, exchange: 'latchkey.events' }]),
      { timeoutMs: 3_000 },
    );
  });

  it('bounds a batch of due retries and new messages together', async () => {
    const bus = await buses.open({ ladder: [{ name: 'a', delayMs: 1 }] });
    await bus.publish(many(150, 'retried'));
    const taken = Promise.withResolvers<void>();
    const first = await bus.consume(issuer, async (batch) => {
      taken.resolve();
      return delay(50, batch.map(() => ({ kind: 'retry', reason: 'not yet' })));
    });
    await taken.promise;
    await first.stop();
    await bus.publish(many(150, 'new'));
    const { handler, batches } = remembering();
    await bus.consume(issuer, handler);
    await eventually(() => expect(batches.map(({ length }) => length)).toEqual([BATCH_SIZE_MAX, 300 - BATCH_SIZE_MAX]));
  });

  it('never gives one message to two consumers that take at the same time', async () => {
    const bus = await buses.open();
    const { handler, ids } = remembering(() => delay(30, done));
    for (let i = 0; i < 4; i += 1) await bus.consume(issuer, handler);
    const events = many(600);
    for (let start = 0; start < events.length; start += 20) void bus.publish(events.slice(start, start + 20));
    await eventually(() => expect(ids().length).toBeGreaterThanOrEqual(events.length));
    await eventually(async () => expect(await depthsOf(bus, issuer)).toMatchObject({ in: 0 }));
    expect(ids().sort()).toEqual(events.map(({ id }) => id).sort());
  });

  it('hands nothing over once it was told to stop, not even what it was fetching', async () => {
    const bus = await buses.open();
    await bus.publish([revoked('a')]);
    const [stopped, next] = [remembering(), remembering()];
    await (await bus.consume(issuer, stopped.handler)).stop();
    await bus.consume(issuer, next.handler);
    await eventually(() => expect(next.ids()).toEqual(['a']));
    expect(stopped.ids()).toEqual([]);
  });

  it('redrives nothing of another service, and nothing for an empty list', async () => {
    const bus = await buses.open();
    const { handler } = remembering(() => ({ kind: 'quarantine', reason: 'poison' }));
    await bus.consume(issuer, handler);
    await bus.publish([revoked('a')]);
    await eventually(async () => expect(await depthsOf(bus, issuer)).toMatchObject({ dlq: 1 }));
    expect([await bus.redrive('cookie'), await bus.redrive('cookie', ['a']), await bus.redrive('token-issuer', [])]).toEqual([0, 0, 0]);
    expect(await bus.quarantined('cookie', 10)).toEqual([]);
  });

  it('finds what another process redrove', async () => {
    const [bus, command] = [await buses.open(), await buses.open()];
    let poisonous = true;
    const { handler, ids } = remembering(() => (poisonous ? { kind: 'quarantine', reason: 'poison' } : done));
    await bus.consume(issuer, handler);
    await bus.publish([revoked('a')]);
    await eventually(async () => expect(await command.quarantined('token-issuer', 10)).toHaveLength(1));
    poisonous = false;
    expect(await command.redrive('token-issuer')).toBe(1);
    await eventually(() => expect(ids()).toEqual(['a', 'a']));
  });

  it('makes its database whoever comes first, even when several come at once', async () => {
    await Promise.all([buses.open(), buses.open(), buses.open()]);
    const bus = await buses.open();
    expect(await bus.publish([registered('a')])).toEqual(['confirmed']);
  });

  it('waits for its database as long as it was told to', async () => {
    const nowhere = 'postgresql://nobody@127.0.0.1:1/none';
    const startedMs = Date.now();
    await expect(openInProcessBroker({ databaseUrl: nowhere, waitMs: 1_200 })).rejects.toThrow();
    expect(Date.now() - startedMs).toBeGreaterThanOrEqual(1_200);
  });

  it('refuses a database that a newer version has written', async () => {
    await buses.open();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    await client.query('insert into bus_migrations (version) values (99)');
    await client.end();
    await expect(buses.open()).rejects.toThrow('start the newer one');
  });

  it('lets what is in hand end and settles it before it closes', async () => {
    const bus = await buses.open();
    const { handler, ids } = remembering(() => delay(100, done));
    await bus.consume(issuer, handler);
    await bus.publish([revoked('a')]);
    await eventually(() => expect(ids()).toEqual(['a']));
    await bus.close();
    expect(await depthsOf(await buses.open(), issuer)).toMatchObject({ in: 0 });
  });

  it('takes nothing any more once closed, and says so', async () => {
    const bus = await buses.open();
    const { handler } = remembering();
    await bus.consume(issuer, handler);
    await bus.close();
    await bus.close();
    expect(bus.state).toBe('down');
    expect(await bus.publish([revoked('a')])).toEqual(['failed']);
    await expect(bus.consume(issuer, handler)).rejects.toThrow('closed');
    await expect(bus.serve('cookie', async () => Buffer.from(''))).rejects.toThrow('closed');
  });
});

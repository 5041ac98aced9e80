import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { Client, Pool } from 'pg';
import { done } from '../src/broker.js';
import { toMessage } from '../src/cloud-event-codec.js';
import { MessageStore } from '../src/in-process/message-store.js';
import { depthsOf, idOf, issuer, registered, remembering, revoked } from './contract-fixtures.js';
import { Buses } from './bus-in-process.js';

let database: TestDatabase;
let buses: Buses;
/** Lets handlers end that a test holds up; always resolved at its end, or closing would wait for them. */
let held: PromiseWithResolvers<void>;

beforeEach(async () => {
  database = await createTestDatabase();
  buses = new Buses(database.url);
  held = Promise.withResolvers();
});

afterEach(async () => {
  held.resolve();
  await buses.closeAll();
  await database.drop();
});

/** Runs statements against the server from outside of the test's database. */
async function onServer(...statements: string[]): Promise<void> {
  const url = new URL(database.url);
  url.pathname = '/postgres';
  const client = new Client({ connectionString: url.href });
  await client.connect();
  for (const statement of statements) await client.query(statement);
  await client.end();
}

function databaseName(): string {
  return new URL(database.url).pathname.slice(1);
}

function cutEveryConnection(): string {
  return `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${databaseName()}'`;
}

describe('when the process dies', () => {
  it('gives every unsettled message to the next process, and no settled one', async () => {
    const first = await buses.open();
    const seen: unknown[] = [];
    await first.publish([revoked('settled')]);
    await first.consume(issuer, async (batch) => {
      seen.push(...batch.map(idOf));
      if (batch.some((message) => idOf(message) !== 'settled')) await held.promise;
      return batch.map(() => done);
    });
    await eventually(async () => expect(await depthsOf(first, issuer)).toMatchObject({ in: 0 }));
    await first.publish([revoked('in hand')]);
    await eventually(() => expect(seen).toEqual(['settled', 'in hand']));
    await first.publish([revoked('waiting')]);

    const second = await buses.open();
    const at = remembering();
    await second.consume(issuer, at.handler);
    await second.publish([revoked('new')]);
    await eventually(() => expect(at.ids()).toEqual(['in hand', 'waiting', 'new']));
    expect(at.seen().map(({ redelivered }) => redelivered)).toEqual([true, true, false]);
  });

  it('keeps the clock and the attempt of what waits on the ladder', async () => {
    const ladder = [{ name: 'a', delayMs: 2_000 }];
    const first = await buses.open({ ladder });
    const running = await first.consume(issuer, async (batch) => batch.map(() => ({ kind: 'retry', reason: 'not yet' })));
    await first.publish([revoked('e-1')]);
    const waitingSinceMs = await eventually(
      async () => {
        expect(await depthsOf(first, issuer)).toMatchObject({ retry: 1 });
        return performance.now();
      },
      { intervalMs: 5 },
    );
    await running.stop();
    await delay(1_000);

    const second = await buses.open({ ladder });
    const at = remembering();
    await second.consume(issuer, at.handler);
    await eventually(() => expect(at.seen()).toMatchObject([{ attempt: 2, exchange: 'latchkey.events' }]), { intervalMs: 5 });
    const waitedMs = performance.now() - waitingSinceMs;
    expect(waitedMs).toBeGreaterThan(1_800);
    expect(waitedMs).toBeLessThan(2_900);
  });
});

describe('when the handler fails', () => {
  it('repeats the whole batch, after a pause that new messages do not shorten', async () => {
    const bus = await buses.open();
    const calls: unknown[][] = [];
    let broken = true;
    await bus.consume(issuer, async (batch) => {
      calls.push(batch.map(idOf));
      if (broken) throw new Error('the handler is broken');
      return batch.map(() => done);
    });
    for (let i = 0; i < 50; i += 1) {
      await bus.publish([revoked(`e-${i}`)]);
      await delay(10);
    }
    expect(calls.length).toBeLessThanOrEqual(10);
    broken = false;
    const handled = calls.length;
    await eventually(() => expect(calls.slice(handled).flat()).toHaveLength(50));
    await eventually(async () => expect(await depthsOf(bus, issuer)).toMatchObject({ in: 0 }));
  });

  it('carries out none of its verdicts when there are too many, for they may belong to other messages', async () => {
    const bus = await buses.open();
    const calls: boolean[] = [];
    await bus.publish([revoked('e-1'), revoked('e-2')]);
    await bus.consume(issuer, async (batch) => {
      calls.push(batch.every(({ redelivered }) => redelivered));
      return calls.length === 1 ? [...batch, batch[0]].map(() => done) : batch.map(() => done);
    });
    await eventually(async () => expect(await depthsOf(bus, issuer)).toMatchObject({ in: 0 }));
    expect(calls).toEqual([false, true]);
  });

  it('stops in spite of it, and keeps the messages', async () => {
    const bus = await buses.open();
    let calls = 0;
    const running = await bus.consume(issuer, async () => {
      calls += 1;
      throw new Error('the handler is broken');
    });
    await bus.publish([revoked('e-1')]);
    await eventually(() => expect(calls).toBeGreaterThan(4));
    const stoppingMs = performance.now();
    await running.stop();
    expect(performance.now() - stoppingMs).toBeLessThan(1_000);
    expect(await depthsOf(bus, issuer)).toMatchObject({ in: 1 });
  });
});

describe('when the database goes', () => {
  it('survives that its idle connections are cut, and goes on', async () => {
    const warnings: string[] = [];
    const bus = await buses.open({ logger: { warn: (message) => warnings.push(message) } });
    const at = remembering();
    await bus.consume(issuer, at.handler);
    await bus.publish([revoked('e-1')]);
    await eventually(() => expect(at.ids()).toEqual(['e-1']));
    await onServer(cutEveryConnection());
    await eventually(() => expect(warnings).toContain('the bus lost a database connection'));
    await eventually(async () => expect(await bus.publish([revoked('e-2')])).toEqual(['confirmed']));
    await eventually(() => expect(at.ids()).toContain('e-2'));
  });

  it('answers failed, says that it is down, and takes up where it stood when the database is back', async () => {
    const bus = await buses.open();
    const seen: unknown[] = [];
    await bus.publish([revoked('e-1')]);
    await bus.consume(issuer, async (batch) => {
      seen.push(...batch.map(idOf));
      await held.promise;
      return batch.map(() => done);
    });
    await eventually(() => expect(seen).toEqual(['e-1']));
    expect(bus.state).toBe('up');

    await onServer(`alter database ${databaseName()} allow_connections false`, cutEveryConnection());
    await eventually(async () => expect(await bus.publish([registered('e-2')])).toEqual(['failed']));
    expect(bus.state).toBe('down');
    held.resolve();
    await delay(300);
    await onServer(`alter database ${databaseName()} allow_connections true`);

    await eventually(async () => expect(await depthsOf(bus, issuer)).toMatchObject({ in: 0 }));
    expect(bus.state).toBe('up');
    expect(seen.length).toBeGreaterThanOrEqual(2);
    expect(new Set(seen)).toEqual(new Set(['e-1']));
    expect(await bus.publish([revoked('e-3')])).toEqual(['confirmed']);
    await eventually(() => expect(seen).toContain('e-3'));
  });

  it('does not skip a rung when a settlement is carried out twice, its first answer being lost', async () => {
    const bus = await buses.open();
    await bus.publish([revoked('e-1')]);
    const pool = new Pool({ connectionString: database.url });
    const store = new MessageStore(pool);
    const { messages } = await store.take('token-issuer', [], 10);
    const settlement = { state: 'retry', attempt: 2, delayMs: 0, reason: 'not yet' } as const;
    await store.settle([{ message: messages[0]!, settlement }]);
    await store.settle([{ message: messages[0]!, settlement: { ...settlement, state: 'dlq' } }]);
    const again = await store.take('token-issuer', [], 10);
    expect(again.messages).toMatchObject([{ attempt: 2 }]);
    await pool.end();
  });

  it('tells a full disk from a lost connection and from a mistake', async () => {
    const pool = new Pool({ connectionString: database.url });
    const store = new MessageStore(pool);
    await (await buses.open()).close();
    const raise = async (code: string): Promise<string> => {
      await pool.query(
        `create or replace function refuse() returns trigger language plpgsql as $$ begin raise exception sqlstate '${code}'; end $$;
         create or replace trigger refuse before insert on queued_messages for each row execute function refuse()`,
      );
      const message = toMessage(revoked('e-1'));
      await expect(store.insert([{ type: 'device.revoked.v1', exchange: 'latchkey.events', services: ['token-issuer'], message }])).rejects.toThrow();
      return store.state;
    };
    expect([await raise('53100'), await raise('53300'), await raise('57P03'), await raise('22000')]).toEqual(['blocked', 'down', 'down', 'up']);
    await pool.end();
  });
});

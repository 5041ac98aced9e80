import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { passOn, type Saying, say, TokenIssued, TokenRevoked } from '@latchkey/contracts';
import { eventually } from '@latchkey/kits';
import type { PublishOutcome } from '@latchkey/messaging';
import { DataSource } from 'typeorm';
import { inTransaction, Outbox, outboxLag, type OutboxLag, Relay, type RelayObserver } from '../src/index.js';
import { postponeRows, takeRows } from '../src/outbox-rows.js';
import { openOutboxDatabase } from './outbox-database.js';
import { ScriptedBroker } from './scripted-broker.js';

describe('Relay', () => {
  let dataSource: DataSource;
  let close: () => Promise<void>;
  let relays: Relay[];
  const reports: string[] = [];
  const counted: PublishOutcome[] = [];
  const waiting: OutboxLag[] = [];
  let looked = 0;
  let says: Saying[];
  const observer: RelayObserver = {
    relayed: (outcomes) => counted.push(...outcomes),
    parked: (routingKey, outcome, lag) => {
      reports.push(`${routingKey} ${outcome}`);
      waiting.push(lag);
    },
    released: (routingKey) => reports.push(`${routingKey} released`),
    parkedCount: () => (looked += 1),
    failed: () => undefined,
  };
  const startRelay = (broker: ScriptedBroker): Relay => {
    const relay = new Relay({ dataSource, broker: broker.asBroker(), service: 'token-issuer', observer, pollIntervalMs: 20 });
    relays.push(relay);
    relay.start();
    return relay;
  };
  const append = (count: number): Promise<void> =>
    new Outbox(dataSource, says).transaction(async (tx) => {
      for (let n = 0; n < count; n += 1) {
        tx.append(TokenRevoked, { merchantId: 'm', tokenId: `t${n}`, reason: 'refunded', revokedAt: '2026-11-23T12:00:00Z', expiresAt: '2026-11-23T12:00:00Z' }, 'act');
      }
    });
  const drained = async (): Promise<void> => expect((await outboxLag(dataSource)).events).toBe(0);

  beforeAll(async () => {
    ({ dataSource, close } = await openOutboxDatabase());
  });
  afterAll(() => close());
  beforeEach(async () => {
    relays = [];
    says = [say(TokenRevoked)];
    reports.length = 0;
    counted.length = 0;
    waiting.length = 0;
    await dataSource.query('truncate outbox_events');
  });
  afterEach(async () => {
    await Promise.all(relays.map((relay) => relay.stop()));
  });

  it('publishes what was committed, as an event of the service, and forgets it when it is confirmed', async () => {
    const broker = new ScriptedBroker();
    await append(1);
    startRelay(broker);
    await eventually(drained);
    expect(broker.published).toEqual([
      {
        specversion: '1.0',
        id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        source: '/latchkey/token-issuer',
        type: 'token.revoked.v1',
        time: expect.any(String),
        correlationid: 'act',
        data: expect.objectContaining({ tokenId: 't0' }),
      },
    ]);
  });

  it.each(['failed', 'unroutable'] as const)('keeps an event that was %s, and tries it again under the same id', async (outcome) => {
    const broker = new ScriptedBroker();
    let refusals = 2;
    broker.answer = () => (refusals-- > 0 ? outcome : 'confirmed');
    await append(1);
    startRelay(broker);
    await eventually(drained);
    expect(broker.published.length).toBe(3);
    expect(new Set(broker.published.map((event) => event.id)).size).toBe(1);
    expect(reports).toEqual([`token.revoked.v1 ${outcome}`, 'token.revoked.v1 released']);
  });

  it('sends each copy to its service, and holds up none for another that cannot be had now', async () => {
    const broker = new ScriptedBroker();
    says = [say(TokenRevoked, ['gateway', 'cookie'])];
    let refusals = 2;
    broker.answer = ({ copyFor }) => (copyFor === 'gateway' && refusals-- > 0 ? 'unroutable' : 'confirmed');
    await append(1);
    startRelay(broker);
    await eventually(drained);
    expect(broker.published).toHaveLength(1);
    expect(broker.copies.map(([service]) => service).sort()).toEqual(['cookie', 'gateway', 'gateway', 'gateway']);
    expect(new Set([...broker.published, ...broker.copies.map(([, event]) => event)].map(({ id }) => id)).size).toBe(1);
    expect(reports).toEqual(['gateway.token.revoked.v1 unroutable', 'gateway.token.revoked.v1 released']);
  });

  it('addresses what it passes on to those who are named, and says it to nobody else', async () => {
    const broker = new ScriptedBroker();
    says = [passOn(TokenRevoked, ['gateway'])];
    await append(3);
    startRelay(broker);
    await eventually(drained);
    expect(broker.copies.map(([service]) => service)).toEqual(['gateway', 'gateway', 'gateway']);
    expect(broker.published).toEqual([]);
  });

  it('publishes again what it published when it dies between the confirm and the commit', async () => {
    const broker = new ScriptedBroker();
    broker.answer = async (): Promise<PublishOutcome> => {
      // Cuts the relay's own connection: its transaction, with the deletion, is lost.
      await dataSource.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`);
      broker.answer = () => 'confirmed';
      return 'confirmed';
    };
    await append(1);
    startRelay(broker);
    await eventually(drained);
    expect(broker.published.length).toBe(2);
    expect(broker.published[0]!.id).toBe(broker.published[1]!.id);
  });

  it('shares the work between replicas without publishing anything twice', async () => {
    const brokers = [new ScriptedBroker(), new ScriptedBroker(), new ScriptedBroker()];
    for (const broker of brokers) broker.answer = () => new Promise((resolve) => setTimeout(() => resolve('confirmed'), 5));
    for (const broker of brokers) startRelay(broker);
    for (let n = 0; n < 10; n += 1) await append(150);
    await eventually(drained);
    const ids = brokers.flatMap((broker) => broker.published.map((event) => event.id));
    expect(ids.length).toBe(1500);
    expect(new Set(ids).size).toBe(1500);
  });

  it('does not wait for rows that another replica is publishing', async () => {
    const [stuck, other] = [new ScriptedBroker(), new ScriptedBroker()];
    const confirms = Promise.withResolvers<PublishOutcome>();
    stuck.answer = () => confirms.promise;
    await append(1);
    startRelay(stuck);
    await eventually(() => expect(stuck.published).toHaveLength(1));
    await append(1);
    startRelay(other);
    await eventually(() => expect(other.published).toHaveLength(1));
    expect(other.published[0]!.id).not.toBe(stuck.published[0]!.id);
    confirms.resolve('confirmed');
    await eventually(drained);
  });

  it('waits while the broker is away, and goes on when it is back', async () => {
    const broker = new ScriptedBroker();
    broker.state = 'down';
    await append(3);
    startRelay(broker);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(broker.published.length).toBe(0);
    broker.state = 'up';
    await eventually(drained);
    expect(broker.published.length).toBe(3);
  });

  it('publishes with its last batch what was appended before it stopped', async () => {
    const broker = new ScriptedBroker();
    const relay = startRelay(broker);
    await append(150);
    await relay.stop();
    await drained();
    expect(broker.published.length).toBe(150);
  });

  it('stops after one batch, and leaves the rest to the next start', async () => {
    const broker = new ScriptedBroker();
    broker.state = 'down';
    const relay = startRelay(broker);
    await append(1_000);
    broker.state = 'up';
    await relay.stop();
    expect(broker.published.length).toBe(200);
    expect((await outboxLag(dataSource)).events).toBe(800);
  });

  it('delays no destination by the backlog of another', async () => {
    const broker = new ScriptedBroker();
    says = [say(TokenRevoked, ['gateway']), say(TokenIssued)];
    await dataSource.query(
      `insert into outbox_events (type, copy_for, data) select 'token.revoked.v1', 'gateway', '{}' from generate_series(1, 120000)`,
    );
    let failed = 0;
    broker.answer = ({ copyFor }) => (copyFor === 'gateway' ? ((failed += 1), 'unroutable') : 'confirmed');
    startRelay(broker);
    for (let n = 1; n <= 20; n += 1) {
      await append(1);
      await eventually(() => expect(broker.published).toHaveLength(n));
    }
    // One batch, and then a row at each probe: what is parked is not tried over and over.
    expect(failed).toBeLessThanOrEqual(200 + 20);
    expect(reports).toEqual(['gateway.token.revoked.v1 unroutable']);
  });

  it('keeps a destination parked while another replica has its only row', async () => {
    const broker = new ScriptedBroker();
    broker.answer = () => 'unroutable';
    await append(1);
    startRelay(broker);
    await eventually(() => expect(reports).toHaveLength(1));
    await inTransaction(dataSource, async (runner) => {
      await runner.query('select from outbox_events for update');
      const looks = looked;
      // Long enough for a probe: the look after it has found the row locked.
      await eventually(() => expect(looked).toBeGreaterThan(looks + 60), { timeoutMs: 20_000 });
    });
    expect(reports).toEqual(['token.revoked.v1 unroutable']);
  });

  it('reports with a parked destination how many events wait, and for how long', async () => {
    const broker = new ScriptedBroker();
    broker.answer = () => 'unroutable';
    await dataSource.query(
      `insert into outbox_events (type, data, created_at)
       select 'token.revoked.v1', '{}', now() - interval '1 hour' from generate_series(1, 300)`,
    );
    startRelay(broker);
    await eventually(() => expect(waiting).toHaveLength(1));
    expect(waiting[0]!.events).toBe(300);
    expect(waiting[0]!.oldestSeconds).toBeGreaterThanOrEqual(3_600);
  });

  it('lets a single row that is refused again and again delay no other of its destination', async () => {
    const broker = new ScriptedBroker();
    broker.answer = ({ data }) => ((data as { tokenId: string }).tokenId === 't0' ? 'failed' : 'confirmed');
    await append(1);
    startRelay(broker);
    await eventually(() => expect(counted).toContain('failed'));
    await append(10);
    await eventually(() => expect(counted.filter((outcome) => outcome === 'confirmed')).toHaveLength(9));
  });

  it('counts nothing of a batch that was rolled back, and a throwing observer undoes nothing', async () => {
    const broker = new ScriptedBroker();
    broker.answer = async (): Promise<PublishOutcome> => {
      await dataSource.query(`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'`);
      broker.answer = () => 'confirmed';
      return 'confirmed';
    };
    await append(1);
    observer.relayed = (outcomes) => {
      counted.push(...outcomes);
      throw new Error('a metric that throws');
    };
    startRelay(broker);
    await eventually(drained);
    expect(counted).toEqual(['confirmed']);
  });

  it('has a row wait longer each time before it is tried again', async () => {
    await append(1);
    for (const secondsLeast of [0.5, 1, 2, 4, 4]) {
      await inTransaction(dataSource, async (runner) => {
        const [row] = await takeRows(runner, { only: { type: 'token.revoked.v1', copyFor: undefined }, rowsEachMax: 1 });
        await postponeRows(runner, [row!]);
        // Measured from the begin of the transaction, which is before the statement that postponed: no clock can make it less.
        const [{ seconds }] = (await runner.query(
          'select extract(epoch from available_at - transaction_timestamp())::float8 as seconds from outbox_events',
        )) as [{ seconds: number }];
        expect(seconds).toBeGreaterThanOrEqual(secondsLeast);
      });
    }
  });
});

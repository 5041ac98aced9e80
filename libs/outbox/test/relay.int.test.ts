import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { passOn, type Saying, say, TokenRevoked } from '@latchkey/contracts';
import { eventually } from '@latchkey/kits';
import type { PublishOutcome } from '@latchkey/messaging';
import { DataSource } from 'typeorm';
import { Outbox, outboxLag, Relay, type RelayObserver } from '../src/index.js';
import { openOutboxDatabase } from './outbox-database.js';
import { ScriptedBroker } from './scripted-broker.js';

describe('Relay', () => {
  let dataSource: DataSource;
  let close: () => Promise<void>;
  let relays: Relay[];
  const unroutable: string[] = [];
  let says: Saying[];
  const observer: RelayObserver = { relayed: () => undefined, unroutable: (types) => unroutable.push(...types), failed: () => undefined };
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
    unroutable.length = 0;
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
    expect(unroutable.length).toBe(outcome === 'unroutable' ? 2 : 0);
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
    expect(unroutable).toEqual(['gateway.token.revoked.v1', 'gateway.token.revoked.v1']);
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

  it('leaves nothing behind when it stops', async () => {
    const broker = new ScriptedBroker();
    const relay = startRelay(broker);
    await append(700);
    await relay.stop();
    await drained();
    expect(broker.published.length).toBe(700);
  });
});

import 'reflect-metadata';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CookieIssued, DeviceRegistered, hear, say, type ServiceMessaging } from '@latchkey/contracts';
import { createTestDatabase, createTestVhost, describeWithRabbit, eventually, type TestDatabase } from '@latchkey/kits';
import { type Broker, connectRabbit, done, openInProcessBroker, type Verdict } from '@latchkey/messaging';
import { Outbox, outboxMigrations } from '@latchkey/outbox';
import { Controller, Module } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { createLogger, Metrics, readConfiguration, type RunningService, type ServiceDefinition, standardSettings, startService } from '../src/index.js';

/** What the handler decides of each event that it is given. */
let verdict: Verdict = done;

@Controller()
class Hearing {
  @EventPattern<string>(DeviceRegistered.type)
  hear(@Payload() batch: readonly unknown[]): readonly Verdict[] {
    return batch.map(() => verdict);
  }
}

@Module({ controllers: [Hearing] })
class Small {}

const settings = standardSettings(0);
const small: ServiceDefinition<typeof settings> = {
  messaging: { service: 'cookie', hears: [hear(DeviceRegistered, ['cookie'])], says: [say(CookieIssued)], asks: [] },
  settings,
  module: Small,
  migrations: [...outboxMigrations],
  bodies: 'json',
  worksWithoutBroker: false,
};
const hearer: ServiceMessaging = { service: 'device-registry', hears: [hear(CookieIssued, ['cookie'])], says: [], asks: [] };

interface Bus {
  readonly broker: Broker;
  dispose(): Promise<unknown>;
}

function gaugesOn(openBus: () => Promise<Bus>): void {
  let database: TestDatabase;
  let bus: Bus;
  let service: RunningService;
  const metrics = new Metrics();

  beforeAll(async () => {
    [database, bus] = await Promise.all([createTestDatabase(), openBus()]);
    const configuration = readConfiguration(settings, { DATABASE_URL: database.url, AMQP_URL: 'amqp://elsewhere' });
    service = await startService(small, configuration, { broker: bus.broker, logger: createLogger('cookie', 'silent'), metrics, listen: false });
  });
  afterAll(async () => {
    await service.stop();
    await bus.dispose();
    await database.drop();
  });

  /** The value of a series as Prometheus scrapes it. */
  const scraped = async (series: string): Promise<number> => {
    const line = (await metrics.expose()).split('\n').find((each) => each.startsWith(`${series} `));
    return line === undefined ? Number.NaN : Number(line.split(' ')[1]);
  };
  const quarantine = 'latchkey_queue_messages{service="cookie",queue="dlq"}';
  const waiting = 'latchkey_outbox_waiting_events{service="cookie"}';
  const oldest = 'latchkey_outbox_oldest_seconds{service="cookie"}';

  it('say how many messages are in quarantine, and that they are out of it again', async () => {
    expect(await scraped(quarantine)).toBe(0);
    verdict = { kind: 'quarantine', reason: 'nobody understands it yet' };
    const event = { specversion: '1.0' as const, source: '/test', type: DeviceRegistered.type, data: DeviceRegistered.example };
    expect(await bus.broker.publish(['1', '2'].map((id) => ({ ...event, id })))).toEqual(['confirmed', 'confirmed']);
    await eventually(async () => expect(await scraped(quarantine)).toBe(2));
    verdict = done;
    expect(await bus.broker.redrive('cookie')).toBe(2);
    await eventually(async () => expect(await scraped(quarantine)).toBe(0));
  });

  it('say how many events wait in the outbox, and for how long, until somebody hears them', async () => {
    expect([await scraped(waiting), await scraped(oldest)]).toEqual([0, 0]);
    // No queue is bound for it yet, so that the broker gives it back and it stays.
    await new Outbox(service.dataSource, []).transaction(async (tx) => tx.append(CookieIssued, CookieIssued.example));
    await eventually(async () => {
      expect(await scraped(waiting)).toBe(1);
      expect(await scraped(oldest)).toBeGreaterThan(1);
    });
    const before = await scraped(oldest);
    await eventually(async () => expect(await scraped(oldest)).toBeGreaterThan(before));
    await bus.broker.declare(hearer);
    await eventually(async () => expect([await scraped(waiting), await scraped(oldest)]).toEqual([0, 0]), { timeoutMs: 40_000 });
  }, 60_000);
}

describe('the gauges of a service in one process', () => {
  gaugesOn(async () => {
    const database = await createTestDatabase();
    const broker = await openInProcessBroker({ databaseUrl: database.url });
    return {
      broker,
      dispose: async () => {
        await broker.close();
        await database.drop();
      },
    };
  });
});

describeWithRabbit('the gauges of a service on RabbitMQ', () => {
  gaugesOn(async () => {
    const vhost = await createTestVhost();
    const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
    const broker = connectRabbit({ url: vhost.amqpUrl, clientName: 'test', logger });
    return {
      broker,
      dispose: async () => {
        await broker.close();
        await vhost.close();
      },
    };
  });
});

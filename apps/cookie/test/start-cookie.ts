import {
  CookieIssued,
  type CookieRef,
  DeviceRegistered,
  type EventData,
  hear,
  say,
  requests,
  type ServiceMessaging,
} from '@latchkey/contracts';
import { createTestDatabase } from '@latchkey/kits';
import { type Broker, done, type OutgoingEvent, Requests, type Running } from '@latchkey/messaging';
import { createLogger, Metrics, readConfiguration, startService } from '@latchkey/service-defaults';
import { DataSource } from 'typeorm';
import { cookieService } from '../src/cookie.service-definition.js';

/** The registry as the cookie service sees it. */
const registryMessaging: ServiceMessaging = {
  service: 'device-registry',
  hears: [hear(CookieIssued, ['cookie'])],
  says: [say(DeviceRegistered, ['cookie'])],
  asks: [],
};

/** A device registry that hears and answers what a test says. */
export class FakeRegistry {
  readonly heard: EventData<typeof CookieIssued>[] = [];
  readonly bound = new Set<string>();
  asked = 0;
  private running: Running[] = [];

  constructor(private readonly broker: Broker) {}

  async start(): Promise<void> {
    await this.broker.declare(registryMessaging);
    const hearing = await this.broker.consume(registryMessaging, async (messages) => {
      this.heard.push(...messages.map(({ body }) => JSON.parse(body.toString()) as EventData<typeof CookieIssued>));
      return messages.map(() => done);
    });
    this.running = [hearing, await this.broker.serve('device-registry', async ({ name, body }) => this.answer(name, body))];
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((part) => part.stop()));
  }

  /** Says that a device was bound; the same `id` again is the same event. */
  async register(cookies: readonly CookieRef[], id: string = crypto.randomUUID(), registeredAt = '2026-11-23T12:00:00.000Z'): Promise<void> {
    const outcomes = await this.broker.publish(
      cookies.map(
        ({ merchantId, cookie }, index): OutgoingEvent => ({
          specversion: '1.0',
          id: `${id}-${index}`,
          source: '/latchkey/device-registry',
          type: DeviceRegistered.type,
          copyFor: 'cookie',
          time: registeredAt,
          data: { merchantId, cookie, accountId: 'alice', deviceId: 'device', evidence: 'proof', registeredAt },
        }),
      ),
    );
    if (outcomes.some((outcome) => outcome !== 'confirmed')) throw new Error('an event was not taken');
  }

  private answer(name: string, body: Buffer): Buffer {
    if (name !== requests.lookUpBindings.name) throw new Error(`the cookie service asked for ${name}`);
    this.asked += 1;
    const { cookies } = JSON.parse(body.toString()) as { cookies: CookieRef[] };
    const known = { accountId: 'alice', deviceId: 'device', evidence: 'proof', state: 'active', registeredAt: '2026-11-23T12:00:00.000Z' };
    const bindings = cookies.filter(({ cookie }) => this.bound.has(cookie)).map((ref) => ({ ...ref, ...known }));
    return Buffer.from(JSON.stringify({ ok: true, value: { bindings } }));
  }
}

/** So many replicas of the cookie service on a database of their own, beside a registry, on an open bus. */
export async function startCookie(broker: Broker, environment: Readonly<Record<string, string>> = {}, replicas = 1) {
  const { url, drop } = await createTestDatabase();
  const configuration = readConfiguration(cookieService.settings, { DATABASE_URL: url, AMQP_URL: 'amqp://unused', ...environment });
  const logger = createLogger('cookie', 'fatal');
  const registry = new FakeRegistry(broker);
  await registry.start();
  const start = () => startService(cookieService, configuration, { broker, logger, metrics: new Metrics(), listen: false });
  const running = await Promise.all(Array.from({ length: replicas }, start));
  const database = await new DataSource({ type: 'postgres', url }).initialize();
  return {
    registry,
    database,
    requests: new Requests(broker),
    /** Starts one more replica; the caller stops it. */
    start,
    stop: async () => {
      await Promise.all(running.map((replica) => replica.stop()));
      await registry.stop();
      await database.destroy();
      await drop();
    },
  };
}

/** A service under test, with everything around it. */
export type CookieUnderTest = Awaited<ReturnType<typeof startCookie>>;

import {
  type CloudEvent,
  CookieIssued,
  type CookieRef,
  DeviceRegistered,
  DeviceRevoked,
  type EventData,
  hear,
  hearCopy,
  type RequestInput,
  requests,
  say,
  type ServiceMessaging,
} from '@latchkey/contracts';
import { createTestDatabase } from '@latchkey/kits';
import { type Broker, done, Requests, type Running } from '@latchkey/messaging';
import { createLogger, Metrics, readConfiguration, startService } from '@latchkey/service-defaults';
import { DataSource } from 'typeorm';
import { deviceRegistryService } from '../src/device-registry.service-definition.js';

/** The gateway, by which a test hears what the registry says. */
const gatewayMessaging: ServiceMessaging = {
  service: 'gateway',
  hears: [hearCopy(DeviceRegistered, ['cookie']), hearCopy(DeviceRevoked, ['deviceId'])],
  says: [],
  asks: [],
};

/** Everybody who hears the registry, so that nothing that it says is unroutable. */
const hearers: readonly ServiceMessaging[] = [
  gatewayMessaging,
  { service: 'cookie', hears: [hearCopy(DeviceRegistered, ['cookie'])], says: [say(CookieIssued)], asks: [] },
  { service: 'token-issuer', hears: [hear(DeviceRegistered, ['cookie']), hearCopy(DeviceRevoked, ['deviceId'])], says: [], asks: [] },
  { service: 'license-server', hears: [hear(DeviceRevoked, ['deviceId'])], says: [], asks: [] },
];

/** A cookie service that says and answers what a test says, and a gateway that hears. */
export class FakeCookieService {
  readonly registered: EventData<typeof DeviceRegistered>[] = [];
  readonly revoked: EventData<typeof DeviceRevoked>[] = [];
  readonly known = new Set<string>();
  asked = 0;
  private running: Running[] = [];

  constructor(private readonly broker: Broker) {}

  async start(): Promise<void> {
    for (const messaging of hearers) await this.broker.declare(messaging);
    const hearing = await this.broker.consume(gatewayMessaging, async (messages) => {
      for (const { routingKey, body } of messages) {
        const data: unknown = JSON.parse(body.toString());
        if (routingKey === `gateway.${DeviceRegistered.type}`) this.registered.push(DeviceRegistered.schema.parse(data));
        else this.revoked.push(DeviceRevoked.schema.parse(data));
      }
      return messages.map(() => done);
    });
    this.running = [hearing, await this.broker.serve('cookie', async ({ name, body }) => this.answer(name, body))];
  }

  async stop(): Promise<void> {
    await Promise.all(this.running.splice(0).map((part) => part.stop()));
  }

  /** Says that cookies were issued; the same `id` again is the same event. */
  async issue(cookies: readonly CookieRef[], id: string = crypto.randomUUID(), expiresAt = inAnHour()): Promise<void> {
    const outcomes = await this.broker.publish(
      cookies.map(
        ({ merchantId, cookie }, index): CloudEvent => ({
          specversion: '1.0',
          id: `${id}-${index}`,
          source: '/latchkey/cookie',
          type: CookieIssued.type,
          time: '2026-11-23T12:00:00.000Z',
          data: { merchantId, cookie, accountId: 'alice', expiresAt },
        }),
      ),
    );
    if (outcomes.some((outcome) => outcome !== 'confirmed')) throw new Error('an event was not taken');
  }

  forget(): void {
    this.registered.length = 0;
    this.revoked.length = 0;
    this.known.clear();
    this.asked = 0;
  }

  private answer(name: string, body: Buffer): Buffer {
    if (name !== requests.lookUpCookies.name) throw new Error(`the registry asked for ${name}`);
    this.asked += 1;
    const { cookies } = JSON.parse(body.toString()) as { cookies: CookieRef[] };
    const found = cookies.filter(({ cookie }) => this.known.has(cookie)).map((ref) => ({ ...ref, accountId: 'alice', expiresAt: inAnHour() }));
    return Buffer.from(JSON.stringify({ ok: true, value: { cookies: found } }));
  }
}

/** So many replicas of the registry on a database of their own, beside a cookie service, on an open bus. */
export async function startDeviceRegistry(broker: Broker, replicas: number) {
  const { url, drop } = await createTestDatabase();
  const configuration = readConfiguration(deviceRegistryService.settings, { DATABASE_URL: url, AMQP_URL: 'amqp://unused' });
  const logger = createLogger('device-registry', 'fatal');
  const cookies = new FakeCookieService(broker);
  await cookies.start();
  const start = () => startService(deviceRegistryService, configuration, { broker, logger, metrics: new Metrics(), listen: false });
  const running = await Promise.all(Array.from({ length: replicas }, start));
  const database = await new DataSource({ type: 'postgres', url }).initialize();
  const asking = new Requests(broker);
  return {
    cookies,
    database,
    requests: asking,
    /** Starts one more replica; the caller stops it. */
    start,
    bind: async (input: Partial<RequestInput<typeof requests.bindDevice>>) => (await asking.ask(requests.bindDevice, { ...alicesDevice, cookieExpiresAt: inAnHour(), ...input })).outcome,
    record: (cookie: string, merchantId = 'default') => asking.ask(requests.getDeviceRecord, { merchantId, cookie }),
    revoke: (deviceId: string, rest: { merchantId?: string; reason?: string } = {}) => asking.ask(requests.revokeDevice, { merchantId: 'default', deviceId, ...rest }),
    list: async (accountId: string, merchantId = 'default') => (await asking.ask(requests.listDevices, { merchantId, accountId })).devices,
    count: async (table: 'devices' | 'bindings') => Number((await database.query<{ count: string }[]>(`select count(*) from ${table}`))[0]!.count),
    clear: async () => {
      await database.query('truncate devices, bindings, known_cookies, inbox_events, received_events, outbox_events');
      cookies.forget();
    },
    stop: async () => {
      await Promise.all(running.map((replica) => replica.stop()));
      await cookies.stop();
      await database.destroy();
      await drop();
    },
  };
}

/** A service under test, with everything around it. */
export type RegistryUnderTest = Awaited<ReturnType<typeof startDeviceRegistry>>;

/** A registration, where a test does not say otherwise. */
export const alicesDevice = { merchantId: 'default', cookie: 'crumb', accountId: 'alice', evidence: 'proof', deviceId: 'alices-device' } as const;

/** RFC 3339, so far away from now. */
export function inSeconds(seconds: number): string {
  return new Date(Date.now() + seconds * 1000).toISOString();
}

function inAnHour(): string {
  return inSeconds(3600);
}

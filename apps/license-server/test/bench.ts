import {
  type CloudEvent,
  DeviceRevoked,
  type EventContract,
  type EventData,
  hear,
  LicenseDenied,
  LicenseGranted,
  operations,
  Problem,
  type ServiceMessaging,
  type ServiceName,
  SigningKeyPublished,
  TokenRevoked,
} from '@latchkey/contracts';
import {
  type ContentClaims,
  generateSigningKey,
  KeyRing,
  newId,
  type RegistrationClaims,
  type SigningKey,
  signToken,
} from '@latchkey/crypto';
import { createTestDatabase, FakeDevice, type FakeLicenseAnswer, type FakeLicenseRequest, type TestDatabase } from '@latchkey/kits';
import { type Broker, done, type IncomingRequest, openInProcessBroker, readMessage } from '@latchkey/messaging';
import { createLogger, Metrics, readConfiguration, type RunningService, startService } from '@latchkey/service-defaults';
import { Writable } from 'node:stream';
import { licenseServerService } from '../src/index.js';

export const LICENSE_URL = 'https://play.example/v1/licenses';
export const TOKENS_URL = operations.deviceTokensUrlOf(LICENSE_URL);
export const MERCHANT = 'm1';
export const KID = '00112233445566778899aabbccddeeff';
export const OTHER_KID = 'ffeeddccbbaa99887766554433221100';
export const CONTENT_KEY = Buffer.alloc(16, 0x5a);
const KEK = Buffer.alloc(32, 7);

/** One licence server, and how to ask it. */
export interface Replica extends RunningService {
  readonly url: string;
  readonly metrics: Metrics;
  /** Asks for a licence with a proof that is right, but for what `request` says otherwise. */
  ask(device: FakeDevice, request: Partial<FakeLicenseRequest> & { token: string }): Promise<FakeLicenseAnswer>;
}

/** A service that a licence server asks: what it was asked, and how it answers. A `Problem` that it throws is its refusal. */
export interface Neighbour {
  readonly asked: Record<string, unknown>[];
  answer: (input: Record<string, unknown>) => Promise<unknown>;
}

/** A database, a bus, and everybody whom a licence server deals with. */
export interface Bench {
  readonly broker: Broker;
  readonly database: TestDatabase;
  readonly signingKey: SigningKey;
  /** What was logged by every replica, one line each. */
  readonly logged: string[];
  /** What the gateway heard. */
  readonly heard: { type: string; data: Record<string, unknown> }[];
  /** What the device registry was asked, and how it answers. */
  readonly registry: Neighbour;
  /** The same of the token issuer, for lists of tokens. */
  readonly issuer: Neighbour;
  start(environment?: Record<string, string>, broker?: Broker): Promise<Replica>;
  publish<Contract extends EventContract>(event: Contract, data: EventData<Contract>): Promise<void>;
  revokeToken(tokenId: string, merchantId?: string): Promise<void>;
  revokeDevice(deviceId: string, merchantId?: string): Promise<void>;
  rows<Row>(sql: string): Promise<Row[]>;
  close(): Promise<void>;
}

const gateway: ServiceMessaging = { service: 'gateway', hears: [hear(LicenseGranted, []), hear(LicenseDenied, [])], says: [], asks: [] };

/** Sets everything up; the signing key is known, no replica runs yet. */
export async function openBench(openBroker = openBusOfOneProcess): Promise<Bench> {
  const database = await createTestDatabase();
  const { broker, close: closeBroker } = await openBroker();
  const running = new Set<RunningService>();
  const bench: Bench = {
    broker,
    database,
    signingKey: generateSigningKey(),
    logged: [],
    heard: [],
    registry: { asked: [], answer: async () => ({ outcome: 'bound' }) },
    issuer: { asked: [], answer: async () => ({ tokens: [], more: false }) },
    start: async (environment = {}, ownBroker = broker) => {
      const metrics = new Metrics();
      const configuration = readConfiguration(licenseServerService.settings, { ...environmentOf(database), ...environment });
      const service = await startService(licenseServerService, configuration, { broker: ownBroker, logger: loggerInto(bench.logged), metrics, listen: true });
      running.add(service);
      return replicaOf({ ...service, stop: async () => (running.delete(service) ? service.stop() : undefined) }, metrics);
    },
    publish: async (event, data) => {
      const outcomes = await broker.publish([eventOf(event.type, data)]);
      if (outcomes[0] !== 'confirmed') throw new Error(`the event was ${outcomes[0]}`);
    },
    revokeToken: async (tokenId, merchantId = MERCHANT) =>
      bench.publish(TokenRevoked, { merchantId, tokenId, reason: 'refunded', revokedAt: iso(0), expiresAt: iso(3_600) }),
    revokeDevice: async (deviceId, merchantId = MERCHANT) => bench.publish(DeviceRevoked, { merchantId, deviceId, accountId: 'a1', revokedAt: iso(0) }),
    rows: async (sql) => [...running][0]!.dataSource.query(sql),
    close: async () => {
      for (const service of running) await service.stop();
      await closeBroker();
      await database.drop();
    },
  };
  await joinNeighbours(bench);
  return bench;
}

/** Publishes the bench's signing key, as token-issuer does, and waits until it is held. */
export async function publishSigningKey(bench: Bench, key: SigningKey = bench.signingKey): Promise<void> {
  const { kty, crv, x, y } = key.publicJwk;
  await bench.publish(SigningKeyPublished, { keyId: key.keyId, publicJwk: { kty, crv, x, y }, publishedAt: iso(0) });
}

/** A bench with one replica that holds the signing key. */
export async function openBenchWithReplica(environment: Record<string, string> = {}): Promise<Bench & { replica: Replica }> {
  const bench = await openBench();
  const replica = await bench.start(environment);
  await insertSigningKey(bench);
  return Object.assign(bench, { replica });
}

/** Puts the bench's signing key where the event would have put it. */
export async function insertSigningKey(bench: Bench, key: SigningKey = bench.signingKey): Promise<void> {
  const { x, y } = key.publicJwk;
  await bench.rows(`insert into signing_keys (key_id, x, y, published_at) values ('${key.keyId}', '${x}', '${y}', now())`);
}

/** A content token of the device, right but for what is said otherwise. */
export function contentToken(bench: Bench, device: FakeDevice, claims: Partial<ContentClaims> = {}, ring = keyRing()): string {
  const kids = claims.kids ?? [KID];
  const merchant = claims.merchant ?? MERCHANT;
  return signToken(bench.signingKey, 'content', {
    ...envelope(),
    merchant,
    content: 'film',
    kids,
    keys: kids.map((kid) => ring.wrapContentKey({ merchantId: merchant, kid, key: CONTENT_KEY })),
    rights: { type: 'purchase' },
    cnf: { jkt: device.deviceId },
    ...claims,
  });
}

/** A registration token, right but for what is said otherwise. */
export function registrationToken(bench: Bench, claims: Partial<RegistrationClaims> = {}): string {
  return signToken(bench.signingKey, 'registration', { ...envelope(), merchant: MERCHANT, account: 'a1', cookie_exp: nowSeconds() + 3_600, ...claims });
}

/** A log that nobody reads, for a bus. */
export const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

export function keyRing(): KeyRing {
  return new KeyRing([{ id: 'k1', key: KEK }]);
}

export function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Base64url as licence requests have it. */
export function kidInRequest(kid: string): string {
  return Buffer.from(kid, 'hex').toString('base64url');
}

function envelope(): { iss: string; aud: string; iat: number; exp: number; jti: string; cookie: string } {
  return { iss: 'latchkey', aud: LICENSE_URL, iat: nowSeconds() - 1, exp: nowSeconds() + 3_600, jti: newId('tok'), cookie: 'cookie-1' };
}

function environmentOf(database: TestDatabase): Record<string, string> {
  return {
    DATABASE_URL: database.url,
    AMQP_URL: 'amqp://unused',
    LATCHKEY_PORT: '0',
    LATCHKEY_LICENSE_URL: LICENSE_URL,
    LATCHKEY_KEK: `k1:${KEK.toString('base64')}`,
  };
}

function replicaOf(service: RunningService, metrics: Metrics): Replica {
  const url = service.url!;
  return {
    ...service,
    url,
    metrics,
    ask: (device, request) => device.license({ licenseUrl: LICENSE_URL, sendTo: `${url}/v1/licenses`, kids: [KID], ...request }),
  };
}

async function openBusOfOneProcess(): Promise<{ broker: Broker; close: () => Promise<void> }> {
  const database = await createTestDatabase();
  const broker = await openInProcessBroker({ databaseUrl: database.url });
  return {
    broker,
    close: async () => {
      await broker.close();
      await database.drop();
    },
  };
}

async function joinNeighbours({ broker, heard, registry, issuer }: Bench): Promise<void> {
  await broker.declare(gateway);
  await broker.consume(gateway, async (messages) => {
    for (const message of messages) {
      const read = readMessage(message);
      if (read.ok) heard.push({ type: read.event.type, data: read.event.data as Record<string, unknown> });
    }
    return messages.map(() => done);
  });
  await serve(broker, 'device-registry', registry);
  await serve(broker, 'token-issuer', issuer);
}

async function serve(broker: Broker, service: ServiceName, neighbour: Neighbour): Promise<void> {
  await broker.declare({ service, hears: [], says: [], asks: [] });
  await broker.serve(service, async (request: IncomingRequest) => {
    const input = JSON.parse(request.body.toString()) as Record<string, unknown>;
    neighbour.asked.push(input);
    const answer = await neighbour.answer(input).then(
      (value) => ({ ok: true, value }),
      (error: unknown) => {
        if (error instanceof Problem) return { ok: false, problem: error.toWire() };
        throw error;
      },
    );
    return Buffer.from(JSON.stringify(answer));
  });
}

function loggerInto(lines: string[]): ReturnType<typeof createLogger> {
  const stream = new Writable({
    write: (chunk: Buffer, _encoding, written) => {
      lines.push(chunk.toString());
      written();
    },
  });
  return createLogger('license-server', 'trace', stream);
}

function eventOf(type: string, data: unknown): CloudEvent {
  return { specversion: '1.0', id: crypto.randomUUID(), source: '/test', type, time: iso(0), data };
}

function iso(offsetSeconds: number): string {
  return new Date(Date.now() + offsetSeconds * 1000).toISOString();
}

import {
  DeviceRegistered,
  DeviceRevoked,
  type EventContract,
  type EventData,
  PurchaseCompleted,
  PurchaseRefunded,
  type PurchaseView,
  type RequestContract,
  type RequestInput,
  type RequestOutput,
  requests,
} from '@latchkey/contracts';
import { generateDeviceKey, newCookie } from '@latchkey/crypto';
import { eventually } from '@latchkey/kits';
import { createLogger, type Logger, Metrics, readConfiguration, type RunningService, type ServiceDefinition, startService } from '@latchkey/service-defaults';
import { tokenIssuerService } from '../src/index.js';
import { type Answer, type GivenEvent, TestBus } from './test-bus.js';

export const MERCHANT = 'default';
export const LICENSE_URL = 'https://licenses.example/v1/licenses';
export const KEK_1 = `k1:${Buffer.alloc(32, 1).toString('base64')}`;
export const KEK_2 = `k2:${Buffer.alloc(32, 2).toString('base64')}`;

/** A cookie that the cookie service knows. */
export interface FakeCookie {
  merchantId: string;
  cookie: string;
  accountId: string;
  expiresAt: string;
}

/** A binding at the registry. */
export interface FakeBinding extends Omit<FakeCookie, 'expiresAt'> {
  deviceId: string;
  evidence: 'proof' | 'asserted';
  confidence?: 'hardware' | 'software';
  state: 'active' | 'revoked';
  registeredAt: string;
}

/** The services around the token issuer, as far as it asks them. */
export class Neighbours {
  readonly cookies = new Map<string, FakeCookie>();
  readonly bindings = new Map<string, FakeBinding>();
  readonly asked: string[] = [];
  licenseServersHold = true;
  /** Names of requests that nobody answers. */
  readonly silent = new Set<string>();

  /** A cookie that the cookie service knows. */
  cookie({ merchantId = MERCHANT, ttlMs = 3_600_000 }: { merchantId?: string; ttlMs?: number } = {}): string {
    const cookie = newCookie();
    const expiresAt = new Date(Date.now() + ttlMs).toISOString();
    this.cookies.set(cookie, { merchantId, cookie, accountId: 'alice', expiresAt });
    return cookie;
  }

  /** Binds a device at the registry; the event is another matter. */
  bind(cookie: string, deviceId = generateDeviceKey().deviceId, evidence: 'proof' | 'asserted' = 'proof'): FakeBinding {
    const merchantId = this.cookies.get(cookie)?.merchantId ?? MERCHANT;
    const binding = { merchantId, cookie, accountId: 'alice', deviceId, evidence, state: 'active' as const, registeredAt: new Date().toISOString() };
    this.bindings.set(cookie, binding);
    return binding;
  }

  answer(name: string, input: { cookies?: { merchantId: string; cookie: string }[]; merchantId?: string; cookie?: string; keyIds?: string[] }): Answer {
    this.asked.push(name);
    if (this.silent.has(name)) return undefined;
    const own = <T extends { merchantId: string }>(map: Map<string, T>): T[] =>
      (input.cookies ?? []).flatMap(({ merchantId, cookie }) => {
        const found = map.get(cookie);
        return found?.merchantId === merchantId ? [found] : [];
      });
    switch (name) {
      case requests.lookUpCookies.name:
        return { value: { cookies: own(this.cookies) } };
      case requests.lookUpBindings.name:
        return { value: { bindings: own(this.bindings) } };
      case requests.holdSigningKeys.name:
        return { value: { held: this.licenseServersHold ? input.keyIds : [] } };
      case requests.bindDevice.name: {
        const { cookie, deviceId, evidence } = input as RequestInput<typeof requests.bindDevice>;
        const held = this.bindings.get(cookie) ?? this.bind(cookie, deviceId, evidence);
        return { value: { outcome: held.deviceId === deviceId ? 'bound' : 'cookie-bound-elsewhere' } };
      }
      case requests.getCookie.name: {
        const cookie = this.cookies.get(input.cookie!);
        if (cookie?.merchantId !== input.merchantId) return { problem: { code: 'cookie-unknown', status: 404 } };
        const state = this.bindings.has(input.cookie!) ? 'bound' : Date.parse(cookie!.expiresAt) <= Date.now() ? 'expired' : 'pending';
        return { value: { ...cookie, state } };
      }
      default:
        return undefined;
    }
  }
}

/** How a test has its token issuer. */
interface IssuerOptions {
  env?: Record<string, string>;
  neighbours?: Neighbours;
  awaitReady?: boolean;
  logger?: Logger;
}

/** The Nest application of a service. */
type ServiceApp = Parameters<NonNullable<ServiceDefinition['equip']>>[0];

/** A token issuer that runs, with what a test says to it and hears from it. */
export class Issuer {
  private constructor(
    readonly bus: TestBus,
    readonly neighbours: Neighbours,
    readonly service: RunningService,
    readonly metrics: Metrics,
    readonly app: ServiceApp,
  ) {}

  /** Starts the real service on a database, and waits for its signing key unless told otherwise. */
  static async start(
    databaseUrl: string,
    { env = {}, neighbours = new Neighbours(), awaitReady = true, logger = createLogger('token-issuer', process.env['TEST_LOG'] ?? 'silent') }: IssuerOptions = {},
  ): Promise<Issuer> {
    const bus = new TestBus();
    bus.neighbour = (name, input) => neighbours.answer(name, input);
    const configuration = readConfiguration(tokenIssuerService.settings, {
      DATABASE_URL: databaseUrl,
      AMQP_URL: 'amqp://unused',
      LATCHKEY_KEK: KEK_1,
      LATCHKEY_LICENSE_URL: LICENSE_URL,
      ...env,
    });
    const metrics = new Metrics();
    let app: ServiceApp | undefined;
    const service = await startService({ ...tokenIssuerService, equip: (made) => void (app = made) }, configuration, {
      broker: bus,
      logger,
      metrics,
      listen: false,
    });
    const issuer = new Issuer(bus, neighbours, service, metrics, app!);
    if (awaitReady) await eventually(async () => expectReady(await service.health.readiness()));
    return issuer;
  }

  stop(): Promise<void> {
    return this.service.stop();
  }

  /** Asks and expects a value. */
  async ask<Contract extends RequestContract>(contract: Contract, input: RequestInput<Contract>): Promise<RequestOutput<Contract>> {
    const answer = await this.bus.ask(contract.name, input);
    if (!answer.ok) throw new Error(`refused: ${JSON.stringify(answer.problem)}`);
    return answer.value as RequestOutput<Contract>;
  }

  /** Asks and expects a refusal; answers its code and status. */
  async refusal<Contract extends RequestContract>(contract: Contract, input: RequestInput<Contract>): Promise<string> {
    const answer = await this.bus.ask(contract.name, input);
    if (answer.ok) throw new Error(`not refused: ${JSON.stringify(answer.value)}`);
    return `${answer.problem!.code} ${answer.problem!.status}`;
  }

  /** Delivers events as one batch; answers the kinds of their verdicts. */
  async hear(...events: GivenEvent[]): Promise<string[]> {
    return (await this.bus.deliver(...events)).map((verdict) => verdict.kind);
  }

  /** A kid for which a content key is stored. */
  async kid(merchantId = MERCHANT): Promise<string> {
    const kid = newHex();
    await this.ask(requests.putContentKey, { merchantId, kid, key: newHex() });
    return kid;
  }

  purchase(merchantId: string, purchaseId: string): Promise<PurchaseView> {
    return this.ask(requests.getPurchase, { merchantId, purchaseId });
  }

  /** What was published of an event, for one purchase where told; waits until there is some. */
  async said<Schema extends EventContract>(event: Schema, count: number, matching: object = {}): Promise<EventData<Schema>[]> {
    return eventually(() => {
      const found = this.heardOf(event, matching);
      if (found.length < count) throw new Error(`${found.length} ${event.name} instead of ${count}`);
      return found;
    });
  }

  /** What was published of an event so far. */
  heardOf<Schema extends EventContract>(event: Schema, matching: object = {}): EventData<Schema>[] {
    const all = this.bus.published.filter(({ type }) => type === event.type).map(({ data }) => data as EventData<Schema>);
    return all.filter((data) => Object.entries(matching).every(([name, value]) => (data as Record<string, unknown>)[name] === value));
  }

  /** Rows of a query on the service's database. */
  rows<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.service.dataSource.query(sql, parameters);
  }

  /** The tokens of a purchase that were neither superseded nor revoked. */
  liveTokens(purchaseId: string, merchantId = MERCHANT): Promise<{ token_id: string }[]> {
    return this.rows(
      'select token_id from tokens where merchant_id = $1 and purchase_id = $2 and superseded_at is null and revoked_at is null',
      [merchantId, purchaseId],
    );
  }
}

function expectReady({ status, checks }: { status: string; checks: unknown }): void {
  if (status !== 'ready') throw new Error(JSON.stringify(checks));
}

/** 16 random bytes as hex digits: a kid or a content key. */
function newHex(): string {
  return crypto.randomUUID().replaceAll('-', '');
}

let counter = 0;

/** A purchase id that no other test uses. */
export function newPurchaseId(): string {
  counter += 1;
  return `order-${counter}-${newHex().slice(0, 8)}`;
}

type Terms = EventData<typeof PurchaseCompleted>;

/** The terms of a purchase. */
export function terms(given: Partial<Terms> & Pick<Terms, 'cookie' | 'kids'>): Terms {
  return {
    merchantId: MERCHANT,
    purchaseId: newPurchaseId(),
    contentId: 'film-42',
    rights: { type: 'purchase' },
    completedAt: '2026-11-23T12:00:00Z',
    ...given,
  };
}

export const completed = (data: Terms, details?: GivenEvent[2]): GivenEvent => [PurchaseCompleted, data, details];
export const registered = (binding: FakeBinding, details?: GivenEvent[2]): GivenEvent => {
  const { merchantId, cookie, accountId, deviceId, evidence, confidence, registeredAt } = binding;
  return [DeviceRegistered, { merchantId, cookie, accountId, deviceId, evidence, confidence, registeredAt }, details];
};
export const revoked = ({ merchantId, deviceId, accountId }: FakeBinding, details?: GivenEvent[2]): GivenEvent => [
  DeviceRevoked,
  { merchantId, deviceId, accountId, revokedAt: new Date().toISOString() },
  details,
];
export const refunded = ({ merchantId, purchaseId }: Pick<Terms, 'merchantId' | 'purchaseId'>, details?: GivenEvent[2]): GivenEvent => [
  PurchaseRefunded,
  { merchantId, purchaseId, refundedAt: new Date().toISOString() },
  details,
];

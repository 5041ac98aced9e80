import { type CloudEvent, type EventContract, type Scope, scopes } from '@latchkey/contracts';
import { generateApiKey, generateKeyEncryptionKey, hashApiKeySecret, parseApiKey } from '@latchkey/crypto';
import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { type Broker, openInProcessBroker } from '@latchkey/messaging';
import { createLogger, Metrics, readConfiguration, type RunningService, startService } from '@latchkey/service-defaults';
import type { z } from 'zod';
import { gatewayService } from '../src/index.js';
import { messaging } from '../src/subscriptions.js';
import { FakeNeighbours } from './fake-neighbours.js';

/** The gateway for real, on real PostgreSQL, with neighbours that a test makes up. */
export class GatewayUnderTest {
  readonly neighbours = new FakeNeighbours();
  /** A key of the merchant `default` with every scope. */
  readonly key = generateApiKey('test');
  /** The key that wraps secrets of webhooks, of every replica. */
  readonly webhookKey = `w1:${generateKeyEncryptionKey()}`;
  private readonly replicas: RunningService[] = [];
  private running: { broker: Broker; databases: TestDatabase[]; databaseUrl: string } | undefined;

  constructor(
    private readonly environment: Readonly<Record<string, string>> = {},
    private readonly definition: typeof gatewayService = gatewayService,
    /** Where every line of its log goes, at every level; nowhere where nobody looks. */
    private readonly log?: { write(line: string): void },
  ) {}

  /** Starts a bus, the neighbours and one replica. */
  async start(): Promise<void> {
    const [database, bus] = await Promise.all([createTestDatabase(), createTestDatabase()]);
    const broker = await openInProcessBroker({ databaseUrl: bus.url });
    this.running = { broker, databases: [database, bus], databaseUrl: database.url };
    await this.neighbours.serve(broker);
    await this.startReplica();
  }

  /** Starts one more replica on the same database and bus. */
  async startReplica(environment: Readonly<Record<string, string>> = {}): Promise<RunningService> {
    const { broker, databaseUrl } = this.parts();
    const configuration = readConfiguration(gatewayService.settings, {
      DATABASE_URL: databaseUrl,
      AMQP_URL: 'amqp://nowhere',
      LATCHKEY_LICENSE_URL: 'http://127.0.0.1:8081/v1/licenses',
      LATCHKEY_PORT: '0',
      LATCHKEY_BOOTSTRAP_API_KEY: this.key,
      LATCHKEY_WEBHOOK_KEY: this.webhookKey,
      ...this.environment,
      ...environment,
    });
    const replica = await startService(this.definition, configuration, { broker, logger: this.log ? createLogger('gateway', 'trace', this.log) : createLogger('gateway', 'silent'), metrics: new Metrics(), listen: true });
    this.replicas.push(replica);
    return replica;
  }

  /** The first replica. */
  get replica(): RunningService {
    return this.replicas[0]!;
  }

  get databaseUrl(): string {
    return this.parts().databaseUrl;
  }

  get broker(): Broker {
    return this.parts().broker;
  }

  /** Calls the first replica with the merchant's key, unless told otherwise. What is neither text nor bytes becomes a JSON body. */
  async call(method: string, path: string, options: { body?: unknown; key?: string | null; headers?: Record<string, string>; replica?: RunningService } = {}): Promise<Response> {
    const key = options.key === undefined ? this.key : options.key;
    return fetch(`${(options.replica ?? this.replica).url}${path}`, {
      method,
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(options.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
      ...(options.body === undefined ? {} : { body: typeof options.body === 'string' || options.body instanceof Uint8Array ? options.body : JSON.stringify(options.body) }),
    });
  }

  /** Makes a key, and its merchant where it is new. */
  async makeKey(merchantId = 'default', ofScopes: readonly Scope[] = scopes): Promise<string> {
    const key = generateApiKey('test');
    const { dataSource } = this.replica;
    await dataSource.query('insert into merchants (merchant_id) values ($1) on conflict do nothing', [merchantId]);
    await dataSource.query('insert into api_keys (key_id, merchant_id, env, hash, scopes) values ($1, $2, $3, $4, $5)', [
      parseApiKey(key)!.keyId,
      merchantId,
      'test',
      hashApiKeySecret(key),
      ofScopes,
    ]);
    return key;
  }

  /** Publishes an event as the service that says it would. */
  async say<Schema extends z.ZodObject>(event: EventContract<Schema>, data: Partial<z.input<Schema>> = {}, id: string = crypto.randomUUID()): Promise<void> {
    const cloudEvent: CloudEvent = { specversion: '1.0', id, source: '/test', type: event.type, data: { ...event.example, ...data } };
    const heard = messaging.hears.find((subscription) => subscription.event.type === event.type);
    const [outcome] = await this.broker.publish([heard?.by === 'copy' ? { ...cloudEvent, copyFor: 'gateway' } : cloudEvent]);
    if (outcome !== 'confirmed') throw new Error(`the event was ${outcome}`);
  }

  /** Stops one replica. */
  async stopReplica(replica: RunningService): Promise<void> {
    this.replicas.splice(this.replicas.indexOf(replica), 1);
    await replica.stop();
  }

  /** Stops everything. */
  async stop(): Promise<void> {
    await Promise.all(this.replicas.splice(0).map((replica) => replica.stop()));
    if (!this.running) return;
    await this.running.broker.close();
    await Promise.all(this.running.databases.map((database) => database.drop()));
  }

  private parts(): { broker: Broker; databaseUrl: string } {
    if (!this.running) throw new Error('not started');
    return this.running;
  }
}

/** What a refused call answered: its status and code, after checking that it is a problem document. */
export async function refusalOf(response: Response): Promise<{ status: number; code: unknown; errors?: unknown; detail?: unknown }> {
  const text = await response.text();
  if (!response.headers.get('content-type')?.startsWith('application/problem+json')) throw new Error(`no problem document but ${response.status}: ${text}`);
  const { status, code, errors, detail, type, title } = JSON.parse(text) as Record<string, unknown>;
  if (status !== response.status || type !== `urn:latchkey:problem:${String(code)}` || typeof title !== 'string') throw new Error(`a malformed problem: ${text}`);
  if (typeof detail !== 'string' && code !== 'internal') throw new Error(`a problem without detail: ${text}`);
  if (status === 400 && !Array.isArray(errors)) throw new Error(`a validation problem without errors: ${text}`);
  // What only repeats the title, and the one error that only repeats the detail, tell a test nothing.
  const says = detail === title ? {} : { detail };
  const [only, more] = (errors ?? []) as { path: string; message: string }[];
  const lists = errors === undefined || (more === undefined && only?.path === '' && only.message === detail) ? {} : { errors };
  return { status: response.status, code, ...lists, ...says };
}

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateApiKey, generateKeyEncryptionKey, hashApiKeySecret, parseApiKey } from '@latchkey/crypto';
import { type BrokerPermissions, freePort, RabbitManagement } from '@latchkey/kits';
import { Client, type QueryResultRow } from 'pg';
import type { Counts, Pulled } from './inside.js';
import { basicAck, basicPublish, queueDeclare } from './method-finder.js';
import { presentRelease, type Release, Replica } from './replica.js';
import { type Administered, PORTS, startBrokerServer, startDatabaseServer } from './servers.js';
import { type ProcessMemory, type QueueState, type Seller, type Service, services, type Target } from './target.js';
import { type Address, TcpProxy } from './tcp-proxy.js';
import { UpstreamProvider } from './upstream-provider.js';

const EVERYTHING: BrokerPermissions = { configure: '.*', write: '.*', read: '.*' };
const VHOST = 'faults';
const CONTENT_TOKEN_TTL_SECONDS = 20;

/** The ways to the servers. Each keeps its port while servers die and come back. */
interface Proxies {
  /** Between the services and the broker. */
  readonly broker: TcpProxy;
  /** One for each service, so that the database of one can be away. */
  readonly databases: Readonly<Record<Service, TcpProxy>>;
  /** Between the checkouts and the broker. */
  readonly checkout: TcpProxy;
  /** For the suite itself; nobody hurts it. */
  readonly management: TcpProxy;
}

/** How a system is started. */
export interface SystemOptions {
  readonly replicasEach?: number;
  /** What the replicas run at first; the present release unless told. */
  readonly release?: Release;
  /** Whether retries wait as long as in operation, up to half an hour. Else for seconds, so that they end within a run. */
  readonly realLadder?: boolean;
}

/**
 * All of Latchkey, to be hurt: replicas of each service as processes, PostgreSQL and RabbitMQ of its own in containers,
 * a proxy before each of them, and levers inside the processes. Whatever dies is started again.
 */
export class System implements Target {
  readonly merchantId = 'default';
  readonly vhostName = VHOST;
  readonly apiKey = generateApiKey('test');
  readonly upstreamSeller: Seller = { merchantId: 'upstream', apiKey: generateApiKey('test') };
  readonly management: RabbitManagement;
  private readonly standing = new Map<Service, Pulled[]>();
  private readonly replicaList: Replica[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), 'latchkey-faults-'));
  private readonly passwords = { services: crypto.randomUUID(), checkout: crypto.randomUUID(), middleman: crypto.randomUUID() };

  private constructor(
    readonly broker: Administered,
    readonly database: Administered,
    readonly proxies: Proxies,
    readonly provider: UpstreamProvider,
  ) {
    const { username, password } = broker;
    this.management = new RabbitManagement(`http://127.0.0.1:${proxies.management.port}`, `amqp://${username}:${password}@nowhere`, VHOST);
  }

  /** Starts everything; resolves when every replica is ready. */
  static async start({ replicasEach = 2, release = presentRelease, realLadder = false }: SystemOptions = {}): Promise<System> {
    const [broker, database] = await Promise.all([startBrokerServer(), startDatabaseServer()]);
    const to = ({ server }: Administered, inside: number) => () => ({ host: server.host, port: server.port(inside) });
    const proxies: Proxies = {
      broker: await TcpProxy.open(to(broker, PORTS.amqp), [basicPublish, basicAck, queueDeclare]),
      checkout: await TcpProxy.open(to(broker, PORTS.amqp), [basicPublish, basicAck]),
      databases: await openForEach(to(database, PORTS.postgres)),
      management: await TcpProxy.open(to(broker, PORTS.management)),
    };
    const system = new System(broker, database, proxies, await UpstreamProvider.start());
    try {
      await system.prepareServers();
      await system.startReplicas(replicasEach, release, realLadder);
      await system.makeMerchant(system.upstreamSeller);
      // The exchange is there now, and topic permissions name it.
      await system.management.allowTopic('checkout', 'latchkey.events', { write: '^purchase\\.(completed|refunded)\\.v1$', read: '^$' });
      return system;
    } catch (error) {
      await system.close();
      throw error;
    }
  }

  get licenseUrl(): string {
    return `${this.of('license-server')[0]!.url}/v1/licenses`;
  }

  get checkoutAmqpUrl(): string {
    return this.amqpUrl('checkout', this.proxies.checkout);
  }

  /** Past the proxy, and free to publish in any user's name: for what stands between a publisher and the broker. */
  get middlemanAmqpUrl(): string {
    const { server } = this.broker;
    return `amqp://middleman:${this.passwords.middleman}@${server.host}:${server.port(PORTS.amqp)}/${VHOST}`;
  }

  gatewayUrls(): readonly string[] {
    return this.of('gateway').map(({ url }) => url);
  }

  licenseServerUrls(): readonly string[] {
    return this.of('license-server').map(({ url }) => url);
  }

  /** The replicas of a service. */
  of(service: Service): readonly Replica[] {
    return this.replicaList.filter((replica) => replica.service === service);
  }

  /** All replicas of all services. */
  replicas(): readonly Replica[] {
    return this.replicaList;
  }

  /** Resolves when every replica says that it is ready. */
  async ready(timeoutMs?: number): Promise<void> {
    await Promise.all(this.replicaList.map((replica) => replica.ready(timeoutMs)));
  }

  databaseUrl(service: Service): string {
    const { server, username, password } = this.database;
    return `postgresql://${username}:${password}@${server.host}:${server.port(PORTS.postgres)}/${databaseOf(service)}`;
  }

  /** Runs SQL on a service's database, past the proxy; resolves to the rows of the last statement. */
  async sql<Row extends QueryResultRow>(service: Service, text: string, values?: readonly unknown[]): Promise<Row[]> {
    return query<Row>(this.databaseUrl(service), text, values);
  }

  /** The sum of what the preloads in all processes have counted under a name. A process that died took its count with it. */
  async counted(name: string): Promise<number> {
    const counts = await Promise.all(this.replicaList.map(({ inside }) => inside.counts().catch((): Counts => ({}))));
    return counts.reduce((sum, { [name]: count = 0 }) => sum + count, 0);
  }

  /** Pulls a lever in every process of a service, those that are still to be started included. */
  async pullInAll(service: Service, pulled: Pulled): Promise<void> {
    this.standing.set(service, [...(this.standing.get(service) ?? []), pulled]);
    await Promise.all(this.of(service).map((replica) => replica.inside.pull(pulled)));
  }

  /** Releases a lever that was pulled in every process of a service. */
  async releaseInAll(service: Service, lever: string): Promise<void> {
    this.standing.set(service, (this.standing.get(service) ?? []).filter((pulled) => pulled.lever !== lever));
    // A process that is dead at the moment starts without it.
    await Promise.all(this.of(service).map((replica) => replica.inside.release(lever).catch(() => undefined)));
  }

  async queues(): Promise<readonly QueueState[]> {
    const listed = await this.management.request<{ name: string; messages?: number; messages_unacknowledged?: number; consumers?: number }[]>(
      'GET',
      `/api/queues/${VHOST}`,
    );
    return listed.map(({ name, messages = 0, messages_unacknowledged: unacknowledged = 0, consumers = 0 }) => ({ name, messages, unacknowledged, consumers }));
  }

  async memory(): Promise<readonly ProcessMemory[]> {
    const looks = this.replicaList.map(async ({ service, index: replica, inside }): Promise<ProcessMemory | undefined> => {
      const memory = await inside.memory().catch(() => undefined);
      return memory && { service, replica, rssBytes: memory.rss, heapUsedBytes: memory.heapUsed };
    });
    return (await Promise.all(looks)).filter((memory) => memory !== undefined);
  }

  prints(): string {
    return this.replicaList.map((replica) => replica.printed()).join('');
  }

  /** Ends everything and takes it away. */
  async close(): Promise<void> {
    await Promise.all(this.replicaList.map((replica) => replica.stop()));
    const { databases, ...others } = this.proxies;
    await Promise.all([...Object.values(databases), ...Object.values(others)].map((proxy) => proxy.close()));
    await Promise.all([this.broker.server.remove(), this.database.server.remove()]);
    await this.provider.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async prepareServers(): Promise<void> {
    const { management } = this;
    await management.request('PUT', `/api/vhosts/${VHOST}`, {});
    await management.allow(this.broker.username, EVERYTHING);
    await management.putUser('services', this.passwords.services, EVERYTHING);
    await management.putUser('checkout', this.passwords.checkout, { configure: '^$', write: '^latchkey\\.events$', read: '^$' });
    await management.request('PUT', '/api/users/middleman', { password: this.passwords.middleman, tags: 'impersonator' });
    await management.allow('middleman', EVERYTHING);
    for (const service of services) {
      const url = new URL(this.databaseUrl(service));
      url.pathname = '/postgres';
      await query(url.href, `create database ${databaseOf(service)}`);
    }
  }

  private async startReplicas(each: number, release: Release, realLadder: boolean): Promise<void> {
    const ports = new Map<Service, number[]>();
    for (const service of services) ports.set(service, await Promise.all(Array.from({ length: each }, () => freePort())));
    const env = {
      AMQP_URL: this.amqpUrl('services', this.proxies.broker),
      LATCHKEY_CHECKOUT_USERS: 'checkout:default',
      LATCHKEY_LICENSE_URL: `http://127.0.0.1:${ports.get('license-server')![0]}/v1/licenses`,
      LATCHKEY_PUBLIC_URL: `http://127.0.0.1:${ports.get('gateway')![0]}`,
      LATCHKEY_KEK: `k1:${generateKeyEncryptionKey()}`,
      LATCHKEY_BOOTSTRAP_API_KEY: this.apiKey,
      // Renewed after half its life, so that renewals happen within a run.
      LATCHKEY_CONTENT_TOKEN_TTL_SECONDS: String(CONTENT_TOKEN_TTL_SECONDS),
      LATCHKEY_LOG_LEVEL: 'info',
      LATCHKEY_TOKEN_PROVIDERS: JSON.stringify([this.providerEntry()]),
      LATCHKEY_WEBHOOK_KEY: `w1:${generateKeyEncryptionKey()}`,
      LATCHKEY_WEBHOOK_ALLOW_PRIVATE: 'loopback',
      ...(realLadder && { FAULTS_LADDER: 'real' }),
    };
    for (const service of services) {
      const database = new URL(this.databaseUrl(service));
      database.host = `127.0.0.1:${this.proxies.databases[service].port}`;
      const standing = () => this.standing.get(service) ?? [];
      for (const [index, port] of ports.get(service)!.entries()) {
        const options = { service, index, port, folder: this.folder, standing, release };
        this.replicaList.push(new Replica({ ...options, env: { ...env, DATABASE_URL: database.href } }));
      }
    }
    await this.ready();
  }

  private providerEntry(): Record<string, unknown> {
    const { merchantId } = this.upstreamSeller;
    return { merchantId, kind: 'expressplay', drm: 'pr', url: this.provider.origin, customerAuthenticator: '201722,1ad8eed133edf43cbcc185f0236828ae' };
  }

  /** As the operator's command does, without a process for it. */
  private async makeMerchant({ merchantId, apiKey }: Seller): Promise<void> {
    await this.sql('gateway', 'insert into merchants (merchant_id) values ($1) on conflict do nothing', [merchantId]);
    await this.sql('gateway', 'insert into api_keys (key_id, merchant_id, env, hash, scopes) values ($1, $2, $3, $4, $5)', [
      parseApiKey(apiKey)!.keyId,
      merchantId,
      'test',
      hashApiKeySecret(apiKey),
      ['cookies', 'devices', 'purchases', 'tokens', 'keys', 'licenses:verify', 'admin'],
    ]);
  }

  private amqpUrl(user: 'services' | 'checkout', proxy: TcpProxy): string {
    return `amqp://${user}:${this.passwords[user]}@127.0.0.1:${proxy.port}/${VHOST}`;
  }
}

async function openForEach(target: Address): Promise<Record<Service, TcpProxy>> {
  const opened = services.map(async (service) => [service, await TcpProxy.open(target)] as const);
  return Object.fromEntries(await Promise.all(opened)) as Record<Service, TcpProxy>;
}

function databaseOf(service: Service): string {
  return service.replaceAll('-', '_');
}

async function query<Row extends QueryResultRow>(connectionString: string, text: string, values?: readonly unknown[]): Promise<Row[]> {
  const client = new Client({ connectionString, connectionTimeoutMillis: 5_000 });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text, values && [...values])).rows;
  } finally {
    await client.end().catch(() => undefined);
  }
}

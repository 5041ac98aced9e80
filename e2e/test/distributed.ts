import { generateApiKey, generateKeyEncryptionKey } from '@latchkey/crypto';
import { createTestDatabase, createTestVhost, freePort, startProcess, type StartedProcess, type TestDatabase, type TestVhost } from '@latchkey/kits';
import { Merchant } from './merchant.js';

const services = ['cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway'] as const;
/** A service of the distributed system. */
export type Service = (typeof services)[number];

/** One replica: a process with a port of its own. */
export interface Replica {
  readonly service: Service;
  readonly url: string;
  process: StartedProcess;
  restart(): Promise<void>;
}

/** The five services as processes of their own, on a virtual host and databases of their own. */
export class Distributed {
  private constructor(
    readonly vhost: TestVhost,
    readonly licenseUrl: string,
    /** The broker user of a checkout of the merchant `default`, with a checkout's rights alone. */
    readonly checkoutAmqpUrl: string,
    private readonly serviceUser: string,
    private readonly databases: ReadonlyMap<Service, TestDatabase>,
    private readonly replicas: readonly Replica[],
    readonly apiKey: string,
    /** The value of `LATCHKEY_KEK`. */
    readonly kek: string,
  ) {}

  /** Starts so many replicas of every service. */
  static async start(replicasEach: number): Promise<Distributed> {
    const vhost = await createTestVhost();
    const { username: serviceUser, amqpUrl } = await vhost.createUser('services');
    const checkout = await vhost.createUser('checkout', { configure: '^$', write: '^latchkey\\.events$', read: '^$' });
    const databases = new Map<Service, TestDatabase>();
    for (const service of services) databases.set(service, await createTestDatabase());
    const ports = new Map<Service, number[]>();
    for (const service of services) ports.set(service, await Promise.all(Array.from({ length: replicasEach }, () => freePort())));
    const licenseUrl = `http://127.0.0.1:${ports.get('license-server')![0]}/v1/licenses`;
    const apiKey = generateApiKey('test');
    const kek = `k1:${generateKeyEncryptionKey()}`;
    const starting = services.flatMap((service) =>
      ports.get(service)!.map(async (port): Promise<Replica> => {
        const url = `http://127.0.0.1:${port}`;
        const start = (): Promise<StartedProcess> =>
          startProcess({
            entry: `apps/${service}/src/main.ts`,
            env: {
              DATABASE_URL: databases.get(service)!.url,
              AMQP_URL: amqpUrl,
              LATCHKEY_CHECKOUT_USERS: `${checkout.username}:default`,
              LATCHKEY_PORT: String(port),
              LATCHKEY_LICENSE_URL: licenseUrl,
              LATCHKEY_PUBLIC_URL: `http://127.0.0.1:${ports.get('gateway')![0]}`,
              LATCHKEY_KEK: kek,
              LATCHKEY_BOOTSTRAP_API_KEY: apiKey,
              LATCHKEY_LOG_LEVEL: 'info',
            },
            readyUrl: `${url}/health/ready`,
            readyTimeoutMs: 90_000,
          });
        const replica: Replica = {
          service,
          url,
          process: await start(),
          restart: async () => {
            replica.process = await start();
          },
        };
        return replica;
      }),
    );
    const replicas = await Promise.all(starting);
    // The exchange is there now, and topic permissions name it.
    await vhost.management.allowTopic(checkout.username, 'latchkey.events', { write: '^purchase\\.(completed|refunded)\\.v1$', read: '^$' });
    return new Distributed(vhost, licenseUrl, checkout.amqpUrl, serviceUser, databases, replicas, apiKey, kek);
  }

  /** The replicas of a service. */
  of(service: Service): readonly Replica[] {
    return this.replicas.filter((replica) => replica.service === service);
  }

  /** A merchant that calls one of the gateways. */
  merchant(replica = 0): Merchant {
    return new Merchant(this.of('gateway')[replica]!.url, this.apiKey);
  }

  /** Cuts every service from the broker, for good. */
  async lockOutOfBroker(): Promise<void> {
    await this.vhost.management.putUser(this.serviceUser, crypto.randomUUID(), { configure: '^$', write: '^$', read: '^$' });
    await this.vhost.management.closeConnections(this.serviceUser);
  }

  /** What every process has printed. */
  printed(): string {
    return this.replicas.map(({ process }) => process.stdout() + process.stderr()).join('');
  }

  /** The database of a service, for looking at what no API shows. */
  databaseUrl(service: Service): string {
    return this.databases.get(service)!.url;
  }

  /** Stops everything and takes it away. */
  async remove(): Promise<void> {
    await Promise.all(this.replicas.map(({ process }) => process.stop().catch(() => undefined)));
    await this.vhost.close();
    for (const database of this.databases.values()) await database.drop();
  }
}

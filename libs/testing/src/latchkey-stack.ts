import { GenericContainer, Network, type StartedNetwork, type StartedTestContainer, Wait } from 'testcontainers';
import { StackSecrets } from './stack-secrets.js';
import { type StackContainer, StartedLatchkeyStack } from './started-latchkey-stack.js';
import { stopNetwork } from './stop-network.js';

/** The images of a stack. */
export interface StackImages {
  readonly service?: string;
  readonly postgres?: string;
  readonly rabbitmq?: string;
}

const PORTS = { gateway: 8080, 'license-server': 8081, cookie: 8082, 'device-registry': 8083, 'token-issuer': 8084 } as const;
const services = Object.keys(PORTS) as (keyof typeof PORTS)[];
const AMQP_PORT = 5672;

/**
 * Latchkey as it is deployed, on a Docker network of its own: PostgreSQL 17, RabbitMQ 4, and every service in a container of
 * its own with its own database and broker user, as docker-compose.yml has them. An edge with two ports stands in front, so
 * that the licence URL is known before any service that names it starts.
 */
export class LatchkeyStack {
  private readonly images: Required<StackImages>;
  private merchantId = 'default';
  private environment: Record<string, string> = {};
  private startupTimeoutMs = 180_000;

  constructor({ service = 'latchkey/service', postgres = 'postgres:17', rabbitmq = 'rabbitmq:4-management' }: StackImages = {}) {
    this.images = { service, postgres, rabbitmq };
  }

  /** The merchant that exists from the start; `default` unless told. */
  withMerchant(merchantId: string): this {
    this.merchantId = merchantId;
    return this;
  }

  /** Settings of every service: docs/reference/config.md lists them. */
  withEnvironment(environment: Readonly<Record<string, string>>): this {
    this.environment = { ...this.environment, ...environment };
    return this;
  }

  /** How long each container may take until it is ready. */
  withStartupTimeout(startupTimeoutMs: number): this {
    this.startupTimeoutMs = startupTimeoutMs;
    return this;
  }

  /** Starts it, and resolves when every service is ready. What was started is removed again where something does not start. */
  async start(): Promise<StartedLatchkeyStack> {
    const network = await new Network().start();
    const containers = new Map<StackContainer, StartedTestContainer>();
    try {
      const secrets = await StackSecrets.make(this.images.service, this.merchantId);
      try {
        return await this.startAround(network, containers, secrets);
      } finally {
        await secrets.stop();
      }
    } catch (error) {
      await Promise.allSettled([...containers.values()].map((container) => container.stop()));
      await stopNetwork(network);
      throw error;
    }
  }

  private async startAround(network: StartedNetwork, containers: Map<StackContainer, StartedTestContainer>, secrets: StackSecrets): Promise<StartedLatchkeyStack> {
    const run = async (name: StackContainer, container: GenericContainer): Promise<StartedTestContainer> => {
      const started = await container.withNetwork(network).withNetworkAliases(name).withStartupTimeout(this.startupTimeoutMs).start();
      containers.set(name, started);
      return started;
    };
    const [edge, rabbitmq] = await together([
      run('edge', this.edge()),
      this.rabbitmq(secrets).then((container) => run('rabbitmq', container)),
      this.postgres(secrets).then((container) => run('postgres', container)),
    ]);
    const origin = (port: number): string => `http://${edge!.getHost()}:${edge!.getMappedPort(port)}`;
    const [gatewayUrl, licenseUrl] = [origin(PORTS.gateway), `${origin(PORTS['license-server'])}/v1/licenses`];
    const urls = { LATCHKEY_PUBLIC_URL: gatewayUrl, LATCHKEY_LICENSE_URL: licenseUrl };
    await together(services.map((service) => this.service(service, urls, secrets).then((container) => run(service, container))));
    const shown = await secrets.show(rabbitmq!.getHost(), rabbitmq!.getMappedPort(AMQP_PORT));
    return new StartedLatchkeyStack({ gatewayUrl, licenseUrl, merchantId: this.merchantId, ...shown }, network, containers);
  }

  private edge(): GenericContainer {
    const routes = (['gateway', 'license-server'] as const).map((service) => `${PORTS[service]}=${service}:${PORTS[service]}`);
    return new GenericContainer(this.images.service)
      .withCommand(['node', 'deploy/edge.mjs', ...routes])
      .withExposedPorts(PORTS.gateway, PORTS['license-server'])
      .withWaitStrategy(Wait.forListeningPorts());
  }

  private async postgres(secrets: StackSecrets): Promise<GenericContainer> {
    return new GenericContainer(this.images.postgres)
      .withEntrypoint(['bash', '-c', 'export POSTGRES_PASSWORD="$(cat /run/secrets/latchkey/password)"; exec docker-entrypoint.sh "$@"', 'postgres'])
      .withCommand(['postgres', '-c', 'max_connections=300'])
      .withCopyArchivesToContainer([
        await secrets.hand('/for/postgres/secrets', '/run'),
        await secrets.hand('/app/deploy/postgres/init.sh', '/docker-entrypoint-initdb.d'),
      ])
      // By its address: while it makes its databases, it answers on a socket alone.
      .withHealthCheck({ test: ['CMD', 'pg_isready', '-U', 'postgres', '-h', '127.0.0.1'], interval: 500, timeout: 3_000, retries: 300 })
      .withWaitStrategy(Wait.forHealthCheck());
  }

  private async rabbitmq(secrets: StackSecrets): Promise<GenericContainer> {
    return new GenericContainer(this.images.rabbitmq)
      .withExposedPorts(AMQP_PORT)
      .withCopyArchivesToContainer([
        await secrets.hand('/for/rabbitmq/secrets/latchkey', '/etc/rabbitmq'),
        await secrets.hand('/app/deploy/rabbitmq/latchkey.conf', '/etc/rabbitmq/conf.d'),
      ])
      .withWaitStrategy(Wait.forLogMessage(/Server startup complete/));
  }

  private async service(service: keyof typeof PORTS, urls: Record<string, string>, secrets: StackSecrets): Promise<GenericContainer> {
    return new GenericContainer(this.images.service)
      .withCommand(['node', '--env-file=/run/secrets/latchkey/env', `apps/${service}/dist/main.js`])
      .withEnvironment({ LATCHKEY_BOOTSTRAP_MERCHANT_ID: this.merchantId, ...this.environment, ...urls, LATCHKEY_PORT: String(PORTS[service]) })
      .withCopyArchivesToContainer([await secrets.hand(`/for/${service}/secrets`, '/run')])
      .withDroppedCapabilities('ALL')
      .withSecurityOpt('no-new-privileges:true')
      .withHealthCheck({ test: ['CMD', 'node', 'deploy/healthcheck.mjs'], interval: 1_000, timeout: 3_000, retries: 300 })
      .withWaitStrategy(Wait.forHealthCheck());
  }
}

/** All of them, or the first failure, once none is under way any more: what still starts could not be stopped. */
async function together<T>(starting: readonly Promise<T>[]): Promise<T[]> {
  const results = await Promise.allSettled(starting);
  return results.map((result) => {
    if (result.status === 'rejected') throw result.reason;
    return result.value;
  });
}

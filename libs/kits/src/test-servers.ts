import { hostname } from 'node:os';
import { Client } from 'pg';
import { GenericContainer, getContainerRuntimeClient, Wait } from 'testcontainers';
import type { StartedTestContainer } from 'testcontainers';
import { eventually } from './eventually.js';
import { TEST_VARIABLES } from './test-environment.js';

/** A server in a container, and the test variables that tell suites where it is. */
export interface TestServer {
  /** Undefined if the server is none of ours. */
  containerId?: string;
  variables: Record<string, string>;
  stop(): Promise<void>;
}

const OWNER_LABEL = 'latchkey.test-owner';
const START_TIMEOUT_MS = 120_000;

/**
 * Whether a Docker engine answers. Where one does, containers that a killed test run left behind are removed: that is
 * all that Testcontainers' reaper would do for us, and its image is one more thing that a machine may be unable to pull.
 */
export async function dockerAnswers(): Promise<boolean> {
  process.env['TESTCONTAINERS_RYUK_DISABLED'] ??= 'true';
  const client = await getContainerRuntimeClient().catch(() => undefined);
  if (!client) return false;
  for (const { Id, Labels } of await client.container.list()) {
    const [host, pid] = (Labels[OWNER_LABEL] ?? '').split(' ');
    if (host === hostname() && !isAlive(Number(pid))) {
      const left = client.container.getById(Id);
      await client.container.stop(left, { timeout: 0 });
      await client.container.remove(left, { removeVolumes: true });
    }
  }
  return true;
}

/** How a server is started. */
export interface TestServerOptions {
  /** Whether it syncs to disk, as a deployment does. A test needs none of it; a measurement does. */
  durable?: boolean;
}

/** PostgreSQL 17 as deployments run it, but for durability: a test server that dies takes its tests with it anyway. */
export async function startPostgresContainer({ durable = false }: TestServerOptions = {}): Promise<TestServer> {
  const password = crypto.randomUUID();
  const settings = ['max_connections=400', 'shared_buffers=128MB', ...(durable ? [] : ['fsync=off', 'full_page_writes=off'])];
  const container = await owned(new GenericContainer('postgres:17'))
    .withEnvironment({ POSTGRES_PASSWORD: password })
    .withCommand(['postgres', ...settings.flatMap((setting) => ['-c', setting])])
    .withExposedPorts(5432)
    .withWaitStrategy(Wait.forListeningPorts())
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(5432)}`;
  const url = `postgresql://postgres:${password}@${address}/postgres`;
  await eventually(() => takesConnections(url), { timeoutMs: START_TIMEOUT_MS, intervalMs: 100 });
  return { containerId: container.getId(), variables: { [TEST_VARIABLES.databaseUrl]: url }, stop: () => remove(container) };
}

/** RabbitMQ 4 with its management API. */
export async function startRabbitContainer({ durable = false }: TestServerOptions = {}): Promise<TestServer> {
  const username = 'latchkey-tests';
  const password = crypto.randomUUID();
  const container = await owned(new GenericContainer('rabbitmq:4-management'))
    .withEnvironment({ RABBITMQ_DEFAULT_USER: username, RABBITMQ_DEFAULT_PASS: password })
    // The management API's figures are of interest after one second, not after five.
    .withCopyContentToContainer([
      { content: 'collect_statistics_interval = 1000\n', target: '/etc/rabbitmq/conf.d/90-tests.conf' },
    ])
    // Quorum queues sync every write: in memory that costs nothing.
    .withTmpFs(durable ? {} : { '/var/lib/rabbitmq': 'rw' })
    .withExposedPorts(5672, 15672)
    .withWaitStrategy(
      Wait.forAll([
        Wait.forListeningPorts(),
        Wait.forHttp('/api/health/checks/local-alarms', 15672).withBasicCredentials(username, password),
      ]),
    )
    .start();
  const address = (port: number) => `${container.getHost()}:${container.getMappedPort(port)}`;
  return {
    containerId: container.getId(),
    variables: {
      [TEST_VARIABLES.amqpUrl]: `amqp://${username}:${password}@${address(5672)}`,
      [TEST_VARIABLES.managementUrl]: `http://${address(15672)}`,
    },
    stop: () => remove(container),
  };
}

function owned(container: GenericContainer): GenericContainer {
  return container.withLabels({ [OWNER_LABEL]: `${hostname()} ${process.pid}` }).withStartupTimeout(START_TIMEOUT_MS);
}

async function remove(container: StartedTestContainer): Promise<void> {
  await container.stop({ timeout: 0, remove: true, removeVolumes: true });
}

async function takesConnections(connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
  } finally {
    await client.end();
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

import { createWriteStream, openSync } from 'node:fs';
import { join } from 'node:path';
import { type OperationContract, operations, type ServiceName } from '@latchkey/contracts';
import { lockDataDirectory } from '@latchkey/embedded-postgres';
import { type Broker, connectRabbit, openInProcessBroker } from '@latchkey/messaging';
import {
  combinedReadiness,
  createLogger,
  type Logger,
  Metrics,
  type Readiness,
  readConfiguration,
  type RunningService,
  type ServiceDefinition,
  serveHealth,
  type StandardConfiguration,
  startService,
} from '@latchkey/service-defaults';
import { fastify } from 'fastify';
import { type StandaloneConfiguration, standaloneSettings } from './config.js';
import { DemoDoor, isDemoPath } from './demo-door.js';
import { leaveNote, removeNote } from './connection-note.js';
import { type Databases, openDatabases } from './databases.js';
import { type FrontDoor, openFrontDoor } from './front-door.js';
import { refuseWrongConfiguration } from './refuse-wrong-configuration.js';
import { readOrCreateSecrets, type StandaloneSecrets } from './secrets.js';
import { services } from './services.js';
import { startStep } from './start-failure.js';
import { isForThisMachine } from './this-machine.js';

/** A standalone that runs, and what to say about it. */
export interface RunningStandalone {
  readonly origin: string;
  readonly dataDir: string;
  readonly apiKeyFile: string | undefined;
  /** Where the demo shop is, where it is served. */
  readonly demoUrl: string | undefined;
  readonly logFile: string;
  readonly bus: 'in-process' | 'RabbitMQ';
  readonly database: 'embedded' | 'given';
  readonly logger: Logger;
  /** What `/health/ready` answers. */
  readonly readiness: () => Promise<Readiness>;
  stop(): Promise<void>;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Starts everything in this process: port, data directory, database, secrets, bus, and the five services. */
export async function startStandalone(environment: Environment): Promise<RunningStandalone> {
  refuseWrongConfiguration(environment);
  const configuration = readConfiguration(standaloneSettings, environment);
  const undo: (() => unknown)[] = [];
  try {
    const { dataDir, host, port, databaseUrl } = configuration;
    const unusable = (reason: string): string =>
      `LATCHKEY_DATA_DIR names ${dataDir}, which cannot be used (${reason}). ` +
      'Name a folder that this user may make and write to.';
    const lock = await startStep(unusable, () => lockDataDirectory(dataDir));
    undo.push(() => lock.release());
    const door = await takePort(host, port);
    undo.push(() => door.close());
    const logFile = join(lock.dataDir, 'latchkey.log');
    // Opened here: a stream that opens it itself would end the process with a stack, whatever waits for its start.
    const logStream = createWriteStream(logFile, { fd: await startStep(unusable, () => openSync(logFile, 'a', 0o600)) });
    const loggerOf = (service: string): Logger => createLogger(service, configuration.logLevel, logStream);
    const secrets = await startStep(
      (reason) =>
        `the secrets in ${join(lock.dataDir, 'secrets')} (LATCHKEY_DATA_DIR) cannot be read or made (${reason}). ` +
        'Give their files back to the user that runs Latchkey.',
      () => readOrCreateSecrets(lock.dataDir),
    );
    const plans = plan(environment, configuration, secrets, door);
    const databases = await startStep(
      (reason) =>
        databaseUrl === undefined
          ? `the embedded PostgreSQL in ${lock.dataDir} (LATCHKEY_DATA_DIR) did not start (${reason}).`
          : `the PostgreSQL server that DATABASE_URL names cannot be used (${reason}). ` +
            'Is it running, and may the user log in and create databases?',
      () => openDatabases(lock, databaseUrl, (line) => loggerOf('standalone').info(line)),
    );
    undo.push(() => databases.stop());
    const broker = await openBroker(configuration, databases, loggerOf('bus'));
    undo.push(() => broker.close());
    await leaveNote(lock.dataDir, {
      origin: door.origin,
      gatewayDatabaseUrl: databases.url('gateway'),
      tokenIssuerDatabaseUrl: databases.url('token-issuer'),
      busDatabaseUrl: databases.url('bus'),
    });
    undo.push(() => removeNote(lock.dataDir));
    // Every service is known to the bus before any of them publishes: who declared late would miss what came before.
    if (configuration.amqpUrl === undefined) for (const service of services) await broker.declare(service.messaging);
    const running = await startAll(plans, databases, broker, loggerOf, undo);
    const logger = loggerOf('standalone');
    const demo = demoOf(environment, configuration, { secrets, door, dataDir: lock.dataDir, logger });
    if (demo) undo.push(() => demo.stop());
    const readiness = (): Promise<Readiness> =>
      combinedReadiness(new Map([...running].map(([service, one]) => [service, one.health])));
    await letIn(door, running, demo, readiness);
    return {
      origin: door.origin,
      dataDir: lock.dataDir,
      apiKeyFile: environment['LATCHKEY_BOOTSTRAP_API_KEY'] ? undefined : secrets.apiKeyFile,
      demoUrl: demo && `${door.origin}/demo`,
      logFile,
      bus: configuration.amqpUrl === undefined ? 'in-process' : 'RabbitMQ',
      database: configuration.databaseUrl === undefined ? 'embedded' : 'given',
      logger,
      readiness,
      stop: () => stopAll(door, undo),
    };
  } catch (error) {
    await unwind(undo);
    throw error;
  }
}

function takePort(host: string, port: number): Promise<FrontDoor> {
  const describe = (reason: string): string =>
    `LATCHKEY_PORT ${port} on LATCHKEY_HOST ${host} cannot be opened (${reason}). ` +
    'Is Latchkey running already? Choose another port or host.';
  return startStep(describe, () => openFrontDoor(host, port), 1);
}

interface Plan {
  readonly definition: ServiceDefinition;
  readonly configure: (databaseUrl: string) => StandardConfiguration;
}

/** How each service is configured here; the environment has been checked before. */
function plan(environment: Environment, configuration: StandaloneConfiguration, secrets: StandaloneSecrets, door: FrontDoor): readonly Plan[] {
  const amqpUser = configuration.amqpUrl === undefined ? undefined : decodeURIComponent(new URL(configuration.amqpUrl).username) || 'guest';
  const given: Environment = {
    LATCHKEY_KEK: secrets.kek,
    LATCHKEY_WEBHOOK_KEY: secrets.webhookKey,
    // Whoever tries Latchkey out on a machine of their own has the receiver there too.
    LATCHKEY_WEBHOOK_ALLOW_PRIVATE: isForThisMachine(environment, configuration.host) ? 'loopback' : undefined,
    LATCHKEY_BOOTSTRAP_API_KEY: secrets.apiKey,
    LATCHKEY_LICENSE_URL: `${door.origin}/v1/licenses`,
    LATCHKEY_PUBLIC_URL: door.origin,
    // A checkout that tries Latchkey out has the one broker user that there is.
    LATCHKEY_CHECKOUT_USERS: amqpUser === undefined ? undefined : `${amqpUser}:${configuration.bootstrapMerchantId}`,
    ...Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')),
  };
  return services.map((definition) => {
    const { amqpUrl, ...settings } = definition.settings;
    const configure = (databaseUrl: string): StandardConfiguration =>
      readConfiguration(settings, { ...given, DATABASE_URL: databaseUrl }) as unknown as StandardConfiguration;
    return { definition, configure };
  });
}

/** A busy machine may keep a database that has just started from answering for a while. */
const DATABASE_WAIT_MS = 60_000;

async function openBroker(configuration: StandaloneConfiguration, databases: Databases, logger: Logger): Promise<Broker> {
  if (configuration.amqpUrl !== undefined) return connectRabbit({ url: configuration.amqpUrl, clientName: 'latchkey-standalone', logger });
  return openInProcessBroker({ databaseUrl: databases.url('bus'), logger, waitMs: DATABASE_WAIT_MS });
}

async function startAll(
  plans: readonly Plan[],
  databases: Databases,
  broker: Broker,
  loggerOf: (service: string) => Logger,
  undo: (() => unknown)[],
): Promise<ReadonlyMap<ServiceName, RunningService>> {
  const metrics = new Metrics();
  const running = new Map<ServiceName, RunningService>();
  const started = plans.map(async ({ definition, configure }) => {
    const { service } = definition.messaging;
    const one = await startService(definition, configure(databases.url(service)) as never, {
      broker,
      logger: loggerOf(service),
      metrics,
      listen: false,
    });
    running.set(service, one);
  });
  const results = await Promise.allSettled(started);
  for (const { definition } of plans) {
    const one = running.get(definition.messaging.service);
    if (one) undo.push(() => one.stop());
  }
  const failure = results.find((result) => result.status === 'rejected');
  if (failure) throw failure.reason;
  return running;
}

/** What devices alone ask for. What both servers serve, and what nobody serves, is the gateway's. */
const licensePaths: ReadonlySet<string> = new Set(
  operations.operations.filter(({ server }: OperationContract) => server === 'license-server').map(({ path }) => path),
);

/** The demo shop, where it is wanted: a merchant like any other, with the first API key. */
function demoOf(environment: Environment, configuration: StandaloneConfiguration, { secrets, door, dataDir, logger }: DemoSurroundings): DemoDoor | undefined {
  const wanted = configuration.demo ?? (isForThisMachine(environment, configuration.host) ? 'on' : 'off');
  if (wanted === 'off') return undefined;
  return new DemoDoor({
    gatewayOrigin: door.origin,
    apiKey: environment['LATCHKEY_BOOTSTRAP_API_KEY'] || secrets.apiKey,
    licenseUrl: environment['LATCHKEY_LICENSE_URL'] || `${door.origin}/v1/licenses`,
    publicUrl: environment['LATCHKEY_PUBLIC_URL'] || door.origin,
    rentalSeconds: configuration.demoRentalSeconds,
    customersFile: join(dataDir, 'demo-shop', 'customers.json'),
    onFault: (error) => logger.error('the demo shop failed', {}, error),
  });
}

interface DemoSurroundings {
  readonly secrets: StandaloneSecrets;
  readonly door: FrontDoor;
  readonly dataDir: string;
  readonly logger: Logger;
}

async function letIn(door: FrontDoor, running: ReadonlyMap<ServiceName, RunningService>, demo: DemoDoor | undefined, readiness: () => Promise<Readiness>): Promise<void> {
  const gateway = running.get('gateway')!;
  const licenseServer = running.get('license-server')!;
  const own = fastify();
  serveHealth(own, readiness);
  await own.ready();
  door.open((path) => {
    if (path.startsWith('/health/')) return (request, response) => own.routing(request, response);
    if (demo && isDemoPath(path)) return (request, response) => demo.handle(request, response);
    const service = licensePaths.has(path) ? licenseServer : gateway;
    return (request, response) => service.handle(request, response);
  });
}

/** The services stop in the opposite order of their start while the door lets requests end; then what is underneath. */
async function stopAll(door: FrontDoor, undo: (() => unknown)[]): Promise<void> {
  void door.close();
  await unwind(undo);
}

async function unwind(undo: (() => unknown)[]): Promise<void> {
  for (let step = undo.pop(); step; step = undo.pop()) await step();
}

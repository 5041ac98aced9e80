import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServiceMessaging } from '@latchkey/contracts';
import { type Broker, checkoutUsers, EventStrategy } from '@latchkey/messaging';
import { isDatabaseAway, Outbox, outboxLag, pruneInbox, Relay } from '@latchkey/outbox';
import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { DataSource } from 'typeorm';
import type { Configuration, Settings } from './configuration.js';
import { type MigrationClass, openDatabase } from './database.js';
import { EdgeFilter, type ErrorForm } from './edge.filter.js';
import { Health } from './health.js';
import { type BodyMode, createHttpAdapter, equipHttp } from './http-edge.js';
import { type Logger, nestLogger } from './logger.js';
import type { Metrics } from './metrics.js';
import { BrokerMembership } from './broker-membership.js';
import { messagingObserver, relayObserver } from './observers.js';
import { Periodic } from './periodic.js';
import { RuntimeModule } from './runtime.module.js';
import type { StandardConfiguration } from './standard-settings.js';

/** What a service is, apart from where it runs: everything that `main.ts` and standalone need to start it. */
export interface ServiceDefinition<Config extends Settings = Settings> {
  readonly messaging: ServiceMessaging;
  readonly settings: Config;
  readonly module: Type;
  readonly migrations: readonly MigrationClass[];
  readonly bodies: BodyMode;
  /** Whether the service can do its work without the broker; then it stays ready, and says degraded. */
  readonly worksWithoutBroker: boolean;
  /** Adds what only this service's edge needs (CORS, documents, hooks), before Nest's routes are made. */
  readonly equip?: (app: NestFastifyApplication) => void | Promise<void>;
  /** Where errors are told in another form than problem documents. */
  readonly errorForms?: readonly ErrorForm[];
}

/** Where a service runs. */
export interface ServiceSurroundings {
  readonly broker: Broker;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether to open the port of the configuration; standalone dispatches to `handle` instead. */
  readonly listen: boolean;
  /** How long to wait for the database to come up, in milliseconds. */
  readonly databaseWaitMs?: number;
}

/** A service that runs. */
export interface RunningService {
  readonly health: Health;
  readonly dataSource: DataSource;
  /** Where it listens, or undefined where it does not. */
  readonly url: string | undefined;
  /** Serves one request, for a server that is shared. */
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Drains: takes no more, lets handlers and requests end, relays what is left, closes. The broker is the caller's. */
  stop(): Promise<void>;
}

/** Starts a service: database and migrations, topology, Nest, consumers, relay, and last the port. */
export async function startService<Config extends Settings>(
  definition: ServiceDefinition<Config>,
  configuration: Configuration<Config> & StandardConfiguration,
  surroundings: ServiceSurroundings,
): Promise<RunningService> {
  const { messaging } = definition;
  const { broker, logger, metrics } = surroundings;
  const dataSource = await openDatabase(
    { url: configuration.databaseUrl, service: messaging.service, migrations: definition.migrations, poolSizeMax: 10, logger },
    surroundings.databaseWaitMs ?? 60_000,
  );
  const health = new Health();
  watchParts(definition, dataSource, surroundings, health);
  const outbox = new Outbox(dataSource, messaging.says);
  const relay = new Relay({ dataSource, broker, service: messaging.service, observer: relayObserver(messaging.service, logger, metrics) });
  outbox.onAppended(() => relay.wake());
  let stopping = false;
  const housekeeping = new Periodic('prune-inbox', 3_600_000, () => pruneInbox(dataSource, () => stopping), logger);

  const filter = new EdgeFilter(logger, definition.errorForms);
  const strategy = new EventStrategy({
    broker,
    messaging,
    checkouts: checkoutUsers(configuration.checkoutUsers),
    observer: messagingObserver(messaging.service, logger, metrics),
    isUnavailable: isDatabaseAway,
  });
  const runtime = RuntimeModule.of({ configuration, logger, metrics, health, dataSource, outbox, broker });
  const app = await createApp({ module: Root, imports: [runtime, definition.module] }, filter, logger);
  app.useGlobalFilters(filter);
  app.connectMicroservice({ strategy }, { inheritAppConfig: true });
  const fastify = app.getHttpAdapter().getInstance();
  equipHttp(fastify, { service: messaging.service, bodies: definition.bodies, filter, logger, metrics, health });
  await definition.equip?.(app);
  await app.init();
  await fastify.ready();
  relay.start();
  const membership = new BrokerMembership(() => joinBroker(app, definition, surroundings), logger);
  health.add('consumers', !definition.worksWithoutBroker, async () => (membership.joined ? undefined : 'not joined to the broker yet'));
  // Before the broker is joined, which may take a while: meanwhile /health/live answers, and /health/ready says what it waits for.
  if (surroundings.listen) await app.listen(configuration.port, configuration.host);
  const url = surroundings.listen ? (await app.getUrl()).replace('[::1]', '127.0.0.1') : undefined;
  await membership.join({ wait: !definition.worksWithoutBroker });
  housekeeping.start();
  logger.info('started', { url });

  const inFlight = new InFlight();
  return {
    health,
    dataSource,
    url,
    handle: (request, response) => {
      inFlight.add(response);
      fastify.routing(request, response);
    },
    stop: async () => {
      membership.stop();
      await strategy.close();
      // Most requests end at once; streams and long waits end when Nest tells them to.
      await Promise.race([inFlight.ended(), new Promise((resolve) => setTimeout(resolve, IN_FLIGHT_GRACE_MS))]);
      await app.close();
      await inFlight.ended();
      stopping = true;
      await housekeeping.stop();
      await relay.stop();
      await dataSource.destroy();
      logger.info('stopped');
    },
  };
}

function createApp(root: DynamicModule, filter: EdgeFilter, logger: Logger): Promise<NestFastifyApplication> {
  return NestFactory.create<NestFastifyApplication>(root, createHttpAdapter({ filter }), {
    logger: nestLogger(logger),
    abortOnError: false,
    bodyParser: false,
  });
}

async function joinBroker(app: NestFastifyApplication, { messaging }: ServiceDefinition, { broker }: ServiceSurroundings): Promise<void> {
  await broker.declare(messaging);
  await app.startAllMicroservices();
}

/** Requests that came through a shared server, which Nest does not wait for when it closes. */
class InFlight {
  private readonly responses = new Set<ServerResponse>();

  add(response: ServerResponse): void {
    this.responses.add(response);
    response.once('close', () => this.responses.delete(response));
  }

  async ended(): Promise<void> {
    await Promise.all([...this.responses].map((response) => new Promise((resolve) => response.once('close', resolve))));
  }
}

const IN_FLIGHT_GRACE_MS = 500;

/** The module above a service's own. */
@Module({})
class Root {}

function watchParts(definition: ServiceDefinition, dataSource: DataSource, { broker, metrics }: ServiceSurroundings, health: Health): void {
  const { service } = definition.messaging;
  health.add('database', true, async () => {
    const [answer] = await dataSource.query<{ readOnly: boolean }[]>(`select current_setting('transaction_read_only')::boolean as "readOnly"`);
    return answer!.readOnly ? 'the database takes no writes: it is a standby, or set to be read-only' : undefined;
  });
  health.add('broker', !definition.worksWithoutBroker, async () => (broker.state === 'up' ? undefined : `the broker is ${broker.state}`));
  health.add('channels', !definition.worksWithoutBroker, async () => {
    const missing = broker.missingChannels();
    return missing.length === 0 ? undefined : missing.join('; ');
  });
  metrics.beforeScrape(async () => {
    metrics.brokerUp.set({ service }, broker.state === 'up' ? 1 : 0);
    const lag = await outboxLag(dataSource);
    metrics.outboxEvents.set({ service }, lag.events);
    metrics.outboxLag.set({ service }, lag.oldestSeconds);
    for (const { queue, messages } of await broker.depths(service)) metrics.queueDepth.set({ service, queue }, messages);
  });
}

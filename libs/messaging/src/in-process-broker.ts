import { setTimeout as delay } from 'node:timers/promises';
import type { ServiceMessaging, ServiceName } from '@latchkey/contracts';
import { Pool } from 'pg';
import {
  ATTEMPTS_MAX,
  type BatchHandler,
  type Broker,
  type BrokerState,
  type OutgoingEvent,
  type OutgoingRequest,
  type PublishOutcome,
  type QuarantinedMessage,
  type QueueDepth,
  type RequestHandler,
  type RetryPolicy,
  retryLadder,
  URGENT_ATTEMPTS_MAX,
  type Running,
} from './broker.js';
import { toMessage } from './cloud-event-codec.js';
import { Consumer } from './in-process/consumer.js';
import { MessageStore, type OutgoingMessage, stateAfter } from './in-process/message-store.js';
import { RequestDesk } from './in-process/request-desk.js';
import { migrate, NewerBusError } from './in-process/schema.js';
import { ServiceQueue } from './in-process/service-queue.js';
import type { BrokerLogger } from './observer.js';
import { type Publication, publicationHeardBy, publicationOf } from './topology.js';

/** What an in-process bus is opened with. */
export interface InProcessBrokerOptions extends Partial<RetryPolicy> {
  /** A PostgreSQL database that belongs to the bus alone. Its tables are made on opening. */
  readonly databaseUrl: string;
  readonly logger?: Pick<BrokerLogger, 'warn'>;
  /** How long to wait for a database that cannot be reached yet. By default not at all. */
  readonly waitMs?: number;
}

const CONNECTIONS_MAX = 4;
const CONNECT_TIMEOUT_MS = 5_000;
const CONNECT_RETRY_MS = 500;
/** A database that took a query and never answers must not stop the bus for ever: the outcome is then unknown. */
const QUERY_TIMEOUT_MS = 30_000;

/**
 * Opens the bus of a single process. Rejects when the database cannot be reached in time, or was written by a newer version.
 *
 * Only one process at a time may consume from a database (standalone refuses a second one on its data directory). Another
 * may look into the quarantine and redrive it meanwhile.
 */
export async function openInProcessBroker(options: InProcessBrokerOptions): Promise<InProcessBroker> {
  const logger = options.logger ?? { warn: () => undefined };
  const pool = new Pool({
    connectionString: options.databaseUrl,
    max: CONNECTIONS_MAX,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    application_name: 'latchkey-bus',
  });
  // Without a listener a connection that is cut while idle would end the process. The pool has already dropped it.
  pool.on('error', (error) => logger.warn('the bus lost a database connection', { error: error.message }));
  try {
    await migrateWhenUp(pool, Date.now() + (options.waitMs ?? 0));
    const store = new MessageStore(pool);
    const { ladder = retryLadder, attemptsMax = ATTEMPTS_MAX, urgentAttemptsMax = URGENT_ATTEMPTS_MAX } = options;
    const policy = { ladder, attemptsMax, urgentAttemptsMax };
    return new InProcessBroker(pool, store, policy, await store.highestId(), logger);
  } catch (error) {
    await pool.end();
    throw error;
  }
}

/**
 * The bus of a process that holds all the services: messages lie in PostgreSQL until their verdict is carried out, so
 * that a process that dies at any moment loses none; requests go from hand to hand. An event is confirmed when it is
 * committed for every service that hears its type.
 *
 * Who hears what is known from `declare` alone: an event whose type no declared service hears is `unroutable`, as it is
 * on a broker without a binding. So declare **every** service before anything is published; a service that declares late
 * misses what was published meanwhile for others of the same type.
 */
export class InProcessBroker implements Broker {
  /** Who hears what, by the routing keys of the publications. */
  private readonly hearers = new Map<ServiceName, readonly Publication[]>();
  private readonly queues = new Map<ServiceName, ServiceQueue>();
  private readonly running = new Set<Running>();
  private readonly desk: RequestDesk;
  private closed: Promise<void> | undefined;

  /** Use `openInProcessBroker`, which makes the tables first. */
  constructor(
    private readonly pool: Pool,
    private readonly store: MessageStore,
    readonly policy: RetryPolicy,
    private readonly inheritedIdMax: bigint,
    private readonly logger: Pick<BrokerLogger, 'warn'>,
  ) {
    this.desk = new RequestDesk((service, name, error) =>
      this.logger.warn('a request was not answered: its handler failed', { service, request: name, error: nameOf(error) }),
    );
  }

  get state(): BrokerState {
    return this.closed ? 'down' : this.store.state;
  }

  missingChannels(): readonly string[] {
    return [];
  }

  async declare(messaging: ServiceMessaging): Promise<void> {
    this.hearers.set(
      messaging.service,
      messaging.hears.map((subscription) => publicationHeardBy(messaging.service, subscription)),
    );
  }

  async publish(events: readonly OutgoingEvent[]): Promise<readonly PublishOutcome[]> {
    const encoded = events.map((event) => (this.hearersOf(event).length > 0 ? this.encode(event) : 'unroutable'));
    const messages = encoded.filter((outcome): outcome is OutgoingMessage => typeof outcome === 'object');
    const outcome = messages.length === 0 ? 'confirmed' : await this.confirm(messages);
    return encoded.map((each) => (typeof each === 'object' ? outcome : each));
  }

  async consume({ service }: ServiceMessaging, handler: BatchHandler): Promise<Running> {
    this.refuseWhenClosed();
    const onFailure = (error: unknown, backoffMs: number): void =>
      this.logger.warn('a batch of messages was not settled and comes again', { service, error: nameOf(error), backoffMs });
    return this.track(new Consumer({ service, queue: this.queueOf(service), handler, policy: this.policy, onFailure }));
  }

  async request(service: ServiceName, request: OutgoingRequest): Promise<Buffer> {
    return this.desk.request(service, request);
  }

  async serve(service: ServiceName, handler: RequestHandler): Promise<Running> {
    this.refuseWhenClosed();
    return this.track(this.desk.serve(service, handler));
  }

  async quarantined(service: ServiceName, limit: number): Promise<readonly QuarantinedMessage[]> {
    return this.store.quarantined(service, limit);
  }

  async redrive(service: ServiceName, ids?: readonly string[]): Promise<number> {
    const count = await this.store.redrive(service, ids);
    this.queueOf(service).ring();
    return count;
  }

  async depths(service: ServiceName): Promise<readonly QueueDepth[]> {
    return this.store.depths(service);
  }

  /** Stops what still runs, then closes the connections. */
  async close(): Promise<void> {
    this.closed ??= Promise.all([...this.running].map((part) => part.stop())).then(() => this.pool.end());
    await this.closed;
  }

  /** An event that cannot be written as a message (it is too large) fails alone. */
  private encode(event: OutgoingEvent): OutgoingMessage | 'failed' {
    try {
      const { exchange } = publicationOf(event.type, event.copyFor);
      return { type: event.type, exchange, services: this.hearersOf(event), message: toMessage(event) };
    } catch (error) {
      this.logger.warn('an event cannot be written as a message', { type: event.type, id: event.id, error: nameOf(error) });
      return 'failed';
    }
  }

  private async confirm(messages: readonly OutgoingMessage[]): Promise<PublishOutcome> {
    try {
      await this.store.insert(messages);
    } catch (error) {
      this.logger.warn('events could not be stored', { events: messages.length, error: nameOf(error) });
      return 'failed';
    }
    for (const service of new Set(messages.flatMap(({ services }) => services))) this.queues.get(service)?.ring();
    return 'confirmed';
  }

  private hearersOf({ type, copyFor }: OutgoingEvent): ServiceName[] {
    const { exchange, routingKey } = publicationOf(type, copyFor);
    const hears = (heard: Publication): boolean => heard.exchange === exchange && heard.routingKey === routingKey;
    return [...this.hearers].flatMap(([service, publications]) => (publications.some(hears) ? [service] : []));
  }

  /** What starts after closing would never be stopped, and would ask a database that is gone for ever. */
  private refuseWhenClosed(): void {
    if (this.closed) throw new Error('the bus is closed');
  }

  private queueOf(service: ServiceName): ServiceQueue {
    let queue = this.queues.get(service);
    if (!queue) this.queues.set(service, (queue = new ServiceQueue(service, this.store, this.inheritedIdMax)));
    return queue;
  }

  private track(part: Running): Running {
    const tracked: Running = {
      stop: async () => {
        await part.stop();
        this.running.delete(tracked);
      },
    };
    this.running.add(tracked);
    return tracked;
  }
}

async function migrateWhenUp(pool: Pool, deadlineMs: number): Promise<void> {
  for (;;) {
    try {
      return await migrate(pool);
    } catch (error) {
      if (error instanceof NewerBusError || stateAfter(error) !== 'down' || Date.now() >= deadlineMs) throw error;
      await delay(CONNECT_RETRY_MS);
    }
  }
}

/** What an error may say in a log: its name and code. Its message can quote a row, and so a payload. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? `${error.name} ${code}` : error.name;
}

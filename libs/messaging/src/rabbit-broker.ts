import type { ServiceMessaging, ServiceName } from '@latchkey/contracts';
import type { Channel, ChannelModel } from 'amqplib';
import {
  ATTEMPTS_MAX,
  BATCH_SIZE_MAX,
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
  type Running,
  URGENT_ATTEMPTS_MAX,
} from './broker.js';
import { toMessage } from './cloud-event-codec.js';
import { Asker } from './rabbit/asker.js';
import { pause } from './rabbit/backoff.js';
import { BindingUpkeep } from './rabbit/binding-upkeep.js';
import { ConfirmedPublisher } from './rabbit/confirmed-publisher.js';
import { Consumption } from './rabbit/consumption.js';
import { declareTopology, onChannel } from './rabbit/declare-topology.js';
import type { OutgoingMessage, Reader } from './rabbit/envelope.js';
import { HELD_MS_MAX } from './rabbit/held-messages.js';
import { BrokerTimeout } from './rabbit/in-time.js';
import { Link } from './rabbit/link.js';
import type { BrokerLogger } from './observer.js';
import { messageOf } from './rabbit/message-of.js';
import { listQuarantined, redriveQuarantined } from './rabbit/quarantine.js';
import { RequestServer } from './rabbit/request-server.js';
import { userOf } from './rabbit/user-of.js';
import { eventTopology, namesOf, publicationOf, type Topology } from './topology.js';

/** What `connectRabbit` takes. */
export interface RabbitOptions extends Partial<RetryPolicy> {
  /**
   * `amqp://user:password@host:port/vhost`, or `amqps:`. The user must log in under that very name (PLAIN): the broker
   * refuses a message that names another.
   */
  readonly url: string;
  /** The name of this process on the broker's management pages. */
  readonly clientName: string;
  readonly logger: BrokerLogger;
  /** How many messages a consumer holds at most. By default two batches: one in hand and one on its way. */
  readonly prefetch?: number;
  /** How many requests are answered at once. */
  readonly requestPrefetch?: number;
  readonly confirmTimeoutMs?: number;
  /** See `RequestServerOptions`. */
  readonly onClockDifference?: (aheadSeconds: number) => void;
  /** How long the broker may take to declare and to begin; then another connection is tried. */
  readonly brokerTimeoutMs?: number;
  /** See `ConsumptionOptions`. */
  readonly handlerGraceMs?: number;
  /** See `SessionOptions`. */
  readonly heldMsMax?: number;
  /** How often bindings are bound again, in case somebody removed one. */
  readonly bindingUpkeepMs?: number;
}

/** How long an operator's question waits for the broker to be there. */
const QUESTION_TIMEOUT_MS = 5_000;

/**
 * Opens the bus on RabbitMQ. It connects in the background and for ever: what is started while the broker is away begins
 * when it is back, and `state` says how it is. The URL's password is never logged.
 */
export function connectRabbit(options: RabbitOptions): RabbitBroker {
  return new RabbitBroker(options);
}

/**
 * The bus on RabbitMQ.
 *
 * Two connections, because a broker that lacks memory or disk stops reading from whoever publishes: on one connection
 * with the publishers, acknowledgements would wait unread, no queue would ever get shorter, and the alarm would stay. So
 * while the broker is blocked publishers pause (`failed`, at once), requests are unroutable, and consumption goes on as
 * long as its verdicts need no publishing.
 *
 * An event over 256 KiB is `failed` alone and every time, and logged: its neighbours must not wait for it. Whoever writes
 * an outbox refuses such an event on the way in.
 */
export class RabbitBroker implements Broker {
  private readonly publishing: Link;
  private readonly consuming: Link;
  private readonly events: ConfirmedPublisher;
  /** Apart from the events, so that an event that may not be published does not take retries down with its channel. */
  private readonly verdicts: ConfirmedPublisher;
  private asker: Asker | undefined;
  private readonly declared = new Map<ServiceName, Topology>();
  /** Their queues are not declared before a connection counts as up: a queue for requests that is lost must not stop events. */
  private readonly servers = new Set<RequestServer>();
  private readonly upkeep: BindingUpkeep;
  private readonly running = new Set<Running>();
  private readonly consumptions = new Map<Consumption, ServiceName>();
  readonly policy: RetryPolicy;
  private readonly user: string;
  private closed: Promise<void> | undefined;

  /** Use `connectRabbit`. */
  constructor(private readonly options: RabbitOptions) {
    const { url, clientName, logger, confirmTimeoutMs = 10_000, ladder = retryLadder, attemptsMax = ATTEMPTS_MAX, urgentAttemptsMax = URGENT_ATTEMPTS_MAX, brokerTimeoutMs } = options;
    if (ladder.length === 0) throw new Error('the retry ladder needs a rung');
    this.policy = { ladder, attemptsMax, urgentAttemptsMax };
    this.user = userOf(url);
    const prepare = async (connection: ChannelModel): Promise<void> => {
      for (const topology of this.declared.values()) await declareTopology(connection, topology, logger);
    };
    this.consuming = new Link({ url, name: `${clientName} (consuming)`, logger, prepare, timeoutMs: brokerTimeoutMs });
    this.publishing = new Link({ url, name: `${clientName} (publishing)`, logger, timeoutMs: brokerTimeoutMs });
    this.upkeep = new BindingUpkeep(this.consuming, { logger, intervalMs: options.bindingUpkeepMs ?? 5_000, topologies: () => [...this.declared.values(), ...[...this.servers].map(({ topology }) => topology)] });
    this.events = new ConfirmedPublisher(this.publishing, { name: 'events', logger, confirmTimeoutMs });
    this.verdicts = new ConfirmedPublisher(this.publishing, { name: 'verdicts', logger, confirmTimeoutMs });
  }

  /** `down` while either connection is. A broker blocks only those who publish. */
  get state(): BrokerState {
    return this.consuming.state === 'up' ? this.publishing.state : 'down';
  }

  /**
   * Resolves when it is declared, or when the broker turned out to be away: it is then declared before anything else
   * happens on the next connection, as on every later one. Rejects when the broker refuses.
   */
  async declare(messaging: ServiceMessaging): Promise<void> {
    const topology = eventTopology(messaging, this.policy.ladder);
    await this.consuming.attempted();
    // As good as away: the next connection declares it.
    const isLate = this.consuming.state !== 'down' && (await this.declareNow(topology).then(() => false, ifLate));
    this.declared.set(messaging.service, topology);
    if (isLate || this.consuming.state === 'down') return;
    await Promise.all([this.events.begun(), this.verdicts.begun()]);
  }

  async publish(events: readonly OutgoingEvent[]): Promise<readonly PublishOutcome[]> {
    const encoded = events.map((event) => this.encode(event));
    const outcomes = await this.events.send(encoded.filter((message) => message !== undefined));
    let sent = 0;
    return encoded.map((message) => {
      const outcome = message ? outcomes[sent++]! : 'failed';
      return outcome === 'unsendable' ? 'failed' : outcome;
    });
  }

  /** Resolves when it consumes, or will as soon as the broker is there. Rejects when the broker refuses. */
  async consume(messaging: ServiceMessaging, handler: BatchHandler): Promise<Running> {
    const topology = eventTopology(messaging, this.policy.ladder);
    const { logger, prefetch = 2 * BATCH_SIZE_MAX, handlerGraceMs = 30_000, heldMsMax = HELD_MS_MAX } = this.options;
    const consumption = new Consumption(this.consuming, {
      reader: this.readerOf(messaging.service),
      handler,
      policy: this.policy,
      batchSizeMax: BATCH_SIZE_MAX,
      heldMsMax,
      publisher: this.verdicts,
      logger,
      prefetch,
      handlerGraceMs,
      declare: (connection) => declareTopology(connection, topology, logger),
      redeclare: () => this.declareNow(topology),
    });
    const running = await this.start(consumption);
    this.consumptions.set(consumption, messaging.service);
    return {
      stop: async () => {
        await running.stop();
        this.consumptions.delete(consumption);
      },
    };
  }

  async request(service: ServiceName, request: OutgoingRequest): Promise<Buffer> {
    this.asker ??= new Asker(this.publishing, this.options.logger);
    return this.asker.request(service, request);
  }

  /** Resolves when it serves, or will as soon as the broker is there. Rejects when the broker refuses. */
  async serve(service: ServiceName, handler: RequestHandler): Promise<Running> {
    const { logger, requestPrefetch: prefetch = 64, onClockDifference } = this.options;
    const server = new RequestServer(this.publishing, { service, handler, prefetch, logger, onClockDifference });
    const running = await this.start(server);
    this.servers.add(server);
    return {
      stop: async () => {
        this.servers.delete(server);
        await running.stop();
      },
    };
  }

  missingChannels(): readonly string[] {
    return [
      ...[...this.consumptions].filter(([{ ready }]) => !ready).map(([, service]) => `${service} consumes nothing`),
      ...[...this.servers].filter(({ ready }) => !ready).map(({ service }) => `${service} takes no requests`),
      ...(this.asker && !this.asker.ready ? ['requests cannot be sent'] : []),
    ];
  }

  async quarantined(service: ServiceName, limit: number): Promise<readonly QuarantinedMessage[]> {
    return this.ask((channel) => listQuarantined(channel, this.readerOf(service), limit));
  }

  async redrive(service: ServiceName, ids?: readonly string[]): Promise<number> {
    const wanted = ids && new Set(ids);
    await this.verdicts.begun();
    return this.ask((channel) => redriveQuarantined(channel, this.readerOf(service), this.verdicts, wanted));
  }

  async depths(service: ServiceName): Promise<readonly QueueDepth[]> {
    const names = namesOf(service);
    const inHand = [...this.consumptions].reduce((sum, [consumption, of]) => sum + (of === service ? consumption.inHand : 0), 0);
    return this.ask(async (channel) => {
      const count = async (queue: string): Promise<number> => (await channel.checkQueue(queue)).messageCount;
      let retry = 0;
      for (const { name } of this.policy.ladder) retry += await count(names.rung(name));
      return [
        { queue: 'in', messages: inHand + (await count(names.in)) },
        { queue: 'retry', messages: retry },
        { queue: 'dlq', messages: await count(names.dlq) },
      ];
    });
  }

  /** Stops what still runs, then closes the connections. */
  async close(): Promise<void> {
    await (this.closed ??= this.shutDown());
  }

  private async shutDown(): Promise<void> {
    await this.upkeep.stop();
    await Promise.all([...this.running].map((part) => part.stop()));
    // The connections end the channels too, should the broker not answer.
    const channels = [this.events, this.verdicts, this.asker].map((part) => part?.close());
    await Promise.all([this.consuming.close(), this.publishing.close(), ...channels]);
  }

  private async start(part: Consumption | RequestServer): Promise<Running> {
    const running: Running = {
      stop: async () => {
        await part.stop();
        this.running.delete(running);
      },
    };
    this.running.add(running);
    try {
      await part.begun();
    } catch (error) {
      await running.stop();
      throw error;
    }
    return running;
  }

  private encode(event: OutgoingEvent): OutgoingMessage | undefined {
    try {
      const { body, contentType, headers, messageId } = toMessage(event);
      return { ...publicationOf(event.type, event.copyFor), body, properties: { contentType, headers, messageId } };
    } catch (error) {
      this.options.logger.error('an event cannot be written as a message', { type: event.type, id: event.id, error: messageOf(error) });
      return undefined;
    }
  }

  private readerOf(service: ServiceName): Reader {
    return { service, user: this.user, deathsAreTrue: this.consuming.brokerMajor >= 4 };
  }

  private async declareNow(topology: Topology): Promise<void> {
    const connection = await this.connectionInTime();
    try {
      await declareTopology(connection, topology, this.options.logger);
    } catch (error) {
      if (error instanceof BrokerTimeout) this.consuming.renew(connection, error);
      throw error;
    }
  }

  /** Does something on a channel of its own. Rejects when the broker is not there in time. */
  private async ask<T>(use: (channel: Channel) => Promise<T>): Promise<T> {
    return onChannel(await this.connectionInTime(), this.options.logger, use);
  }

  private async connectionInTime(): Promise<ChannelModel> {
    const giveUp = new AbortController();
    const connection = await Promise.race([this.consuming.up(), pause(QUESTION_TIMEOUT_MS, giveUp.signal)]);
    giveUp.abort();
    if (!connection) throw new Error('the broker is away');
    return connection;
  }
}

function ifLate(error: unknown): true {
  if (!(error instanceof BrokerTimeout)) throw error;
  return true;
}

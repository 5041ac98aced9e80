import { EventEmitter, once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { type ChannelModel, connect } from 'amqplib';
import type { BrokerState } from '../broker.js';
import { type Backoff, backoffMs, pause } from './backoff.js';
import type { BrokerLogger } from '../observer.js';
import { inTime } from './in-time.js';
import { messageOf } from './message-of.js';

/** What one connection is opened with. */
export interface LinkOptions {
  /** `amqp:` or `amqps:` URL. It holds a password and is never logged. */
  readonly url: string;
  /** The name under which the management pages show the connection. */
  readonly name: string;
  readonly logger: BrokerLogger;
  /** Runs on every new connection before anybody else may use it. */
  prepare?(connection: ChannelModel): Promise<void>;
  /** How long `prepare` may take, in milliseconds; then another connection is tried. */
  readonly timeoutMs?: number;
}

const RECONNECT: Backoff = { firstMs: 200, maxMs: 10_000 };
const CONNECT_TIMEOUT_MS = 10_000;
const CLOSE_TIMEOUT_MS = 5_000;
/** A connection that lasted so long was a good one: the next attempt need not wait. */
const GOOD_AFTER_MS = 10_000;
/** Finds a dead peer in half a minute; the broker's own default takes two. */
const HEARTBEAT_SECONDS = 15;

/**
 * One connection that is opened again for ever until it is closed.
 *
 * The loop is our own, although amqplib can reconnect too: its recovery gives back a connection and no channels, fails
 * `createChannel` meanwhile, and says nothing of channels that die while the connection lives, which is what a timed-out
 * or refused consumer does. `KeptChannel` needs one place that says "up" after everything is prepared.
 */
export class Link {
  private readonly changes = new EventEmitter<{ up: []; blocked: []; attempted: [] }>();
  private readonly closing = new AbortController();
  private readonly stopped = once(this.closing.signal, 'abort').then(() => undefined);
  private readonly ended: Promise<void>;
  private connection: ChannelModel | undefined;
  private blocked = false;
  private giveUp: (cause: Error) => void = () => undefined;
  private hasBeenTried = false;

  constructor(private readonly options: LinkOptions) {
    this.changes.setMaxListeners(0);
    this.ended = this.run();
  }

  get state(): BrokerState {
    if (!this.connection) return 'down';
    return this.blocked ? 'blocked' : 'up';
  }

  /** The major version of the broker that was last connected to; 0 before that. */
  brokerMajor = 0;

  /** The connection, as soon as there is one; undefined once the link is closed. */
  async up(): Promise<ChannelModel | undefined> {
    while (!this.connection && !this.closing.signal.aborted) await Promise.race([once(this.changes, 'up'), this.stopped]);
    return this.connection;
  }

  /** Resolves when the first attempt to connect has ended, well or not. */
  async attempted(): Promise<void> {
    if (!this.hasBeenTried) await once(this.changes, 'attempted');
  }

  /** Calls back whenever the broker says that it takes no more for now (it lacks memory or disk). */
  onBlocked(listener: () => void): void {
    this.changes.on('blocked', listener);
  }

  /** Gives a connection up for another one, because the broker does not answer on it. Does nothing if it has been replaced. */
  renew(connection: ChannelModel, cause: Error): void {
    if (this.connection === connection) this.giveUp(cause);
  }

  /** Closes the connection and stops opening it again. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.ended;
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    let failures = 0;
    while (!signal.aborted) {
      const startedMs = performance.now();
      try {
        await this.hold(await this.open());
      } catch (error) {
        this.options.logger.warn('cannot connect to the broker', { connection: this.options.name, error: messageOf(error) });
      }
      this.noteAttempt();
      failures = performance.now() - startedMs > GOOD_AFTER_MS ? 1 : failures + 1;
      await pause(backoffMs(RECONNECT, failures), signal);
    }
  }

  private async open(): Promise<ChannelModel> {
    const url = new URL(this.options.url);
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(HEARTBEAT_SECONDS));
    // Without noDelay small frames wait for each other's acknowledgements, up to 44 ms.
    const clientProperties = { connection_name: this.options.name };
    return connect(url.href, { noDelay: true, keepAlive: true, timeout: CONNECT_TIMEOUT_MS, clientProperties });
  }

  /** Announces the connection and resolves when it has ended. */
  private async hold(connection: ChannelModel): Promise<void> {
    const { logger, name } = this.options;
    const { signal } = this.closing;
    const ended = new Promise<Error | undefined>((resolve) => connection.on('close', resolve));
    connection.on('error', (error) => logger.warn('the connection to the broker failed', { connection: name, error: messageOf(error) }));
    connection.on('blocked', () => this.note(true));
    connection.on('unblocked', () => this.note(false));
    try {
      const prepared = Promise.resolve(this.options.prepare?.(connection));
      await Promise.race([inTime(prepared, 'declaring what the service needs', this.options.timeoutMs), ended, this.stopped]);
      if (signal.aborted) return;
      this.connection = connection;
      this.brokerMajor = Number.parseInt(connection.connection.serverProperties.version, 10);
      this.noteAttempt();
      this.changes.emit('up');
      logger.info('connected to the broker', { connection: name });
      const given = new Promise<Error>((resolve) => (this.giveUp = resolve));
      const cause = await Promise.race([ended, given, this.stopped]);
      if (!signal.aborted) logger.warn('lost the connection to the broker', { connection: name, error: messageOf(cause) });
    } finally {
      this.connection = undefined;
      this.blocked = false;
      // Already closed: nothing to wait for. A broker that does not answer the closing must not hold up ours.
      const closed = connection.close().catch(() => undefined);
      await Promise.race([closed, delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
    }
  }

  private note(blocked: boolean): void {
    this.blocked = blocked;
    this.options.logger.warn(blocked ? 'the broker takes nothing for now' : 'the broker takes messages again', { connection: this.options.name });
    if (blocked) this.changes.emit('blocked');
  }

  private noteAttempt(): void {
    this.hasBeenTried = true;
    this.changes.emit('attempted');
  }
}

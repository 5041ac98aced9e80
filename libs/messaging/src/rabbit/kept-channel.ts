import { once } from 'node:events';
import type { Channel, ChannelModel } from 'amqplib';
import { type Backoff, backoffMs, pause } from './backoff.js';
import { isRefusal } from './is-refusal.js';
import { BrokerTimeout, inTime } from './in-time.js';
import type { Link } from './link.js';
import type { BrokerLogger } from '../observer.js';
import { messageOf } from './message-of.js';

/** What a channel is for. */
export interface ChannelUse<C extends Channel> {
  /** For logs. */
  readonly name: string;
  readonly logger: BrokerLogger;
  open(connection: ChannelModel): Promise<C>;
  /** Makes the fresh channel useful: declares, subscribes. When it rejects the channel is opened again later. */
  begin(channel: C, connection: ChannelModel): Promise<void>;
  /** The channel is gone: nothing that came by it can be settled any more. */
  ended(channel: C): void;
  /** How long opening and beginning may take, in milliseconds; then another connection is tried. */
  readonly timeoutMs?: number;
}

const REOPEN: Backoff = { firstMs: 100, maxMs: 10_000 };
const GOOD_AFTER_MS = 10_000;

/**
 * One channel that is opened again whenever it dies: with its connection, by an error of its own (a timed-out consumer, a
 * refused operation), or because its user gives it up (`renew`). A channel's death takes its deliveries with it, so users
 * hold on to the channel object that a delivery came by, and never settle by another.
 */
export class KeptChannel<C extends Channel> {
  private readonly closing = new AbortController();
  private readonly stopped = once(this.closing.signal, 'abort').then(() => undefined);
  private readonly first = Promise.withResolvers<void>();
  private readonly ended: Promise<void>;
  private channel: C | undefined;
  private held: { readonly channel: C; readonly giveUp: () => void } | undefined;

  constructor(
    private readonly link: Link,
    private readonly use: ChannelUse<C>,
  ) {
    this.first.promise.catch(() => undefined);
    void link.attempted().then(() => link.state === 'down' && this.first.resolve());
    this.ended = this.run();
  }

  /** The channel that is open and has begun, if there is one. */
  get current(): C | undefined {
    return this.channel;
  }

  /**
   * Resolves when the channel has begun for the first time, or could not because the broker is away: it then begins when
   * the broker is back. Rejects when the broker refused: what is asked of it, or by whom, is wrong.
   */
  begun(): Promise<void> {
    return this.first.promise;
  }

  /** Gives this channel up for a new one. Does nothing when it has been replaced already. */
  renew(channel: C): void {
    if (this.held?.channel === channel) this.held.giveUp();
  }

  /** Closes the channel, after what was sent on it, and opens no other. */
  async close(): Promise<void> {
    this.closing.abort();
    await this.ended;
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    let failures = 0;
    while (!signal.aborted) {
      const connection = await Promise.race([this.link.up(), this.stopped]);
      if (!connection) break;
      const startedMs = performance.now();
      try {
        await this.hold(connection);
      } catch (error) {
        if (isRefusal(error)) this.first.reject(error);
        if (error instanceof BrokerTimeout) this.link.renew(connection, error);
        this.use.logger.error('a channel to the broker could not be used', { channel: this.use.name, error: messageOf(error) });
      }
      this.first.resolve();
      failures = performance.now() - startedMs > GOOD_AFTER_MS ? 1 : failures + 1;
      await pause(backoffMs(REOPEN, failures), signal);
    }
    this.first.resolve();
  }

  /** Opens a channel and resolves when it has ended. */
  private async hold(connection: ChannelModel): Promise<void> {
    const { use } = this;
    const channel = await inTime(use.open(connection), `a channel for ${use.name}`, use.timeoutMs);
    const closed = new Promise<void>((resolve) => channel.on('close', resolve));
    const givenUp = new Promise<void>((resolve) => (this.held = { channel, giveUp: resolve }));
    channel.on('error', (error) => use.logger.warn('the broker closed a channel', { channel: use.name, error: messageOf(error) }));
    try {
      await Promise.race([inTime(use.begin(channel, connection), use.name, use.timeoutMs), this.stopped]);
      if (this.closing.signal.aborted) return;
      this.channel = channel;
      this.first.resolve();
      await Promise.race([closed, givenUp, this.stopped]);
    } finally {
      this.channel = undefined;
      this.held = undefined;
      use.ended(channel);
      // Rejects where it was closed already. A channel that was given up is not waited for: its broker may be stuck.
      const closing = channel.close().catch(() => undefined);
      if (this.closing.signal.aborted) await Promise.race([closing, closed]);
    }
  }
}

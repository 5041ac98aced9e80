import { Problem } from '@latchkey/contracts';
import { CONFIGURATION, Logger, Metrics, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ApiKeyStore } from '../api-keys/api-key-store.js';
import type { Caller } from '../api-keys/authenticate.js';
import type { GatewayConfiguration } from '../config.js';
import { EventStream } from './event-stream.js';
import { FeedStore } from './feed-store.js';
import { type Follower, FeedTail } from './feed-tail.js';
import { streamPreamble } from './server-sent-event.js';

const PAGE_MAX = 100;
/** Longer than a phone in a tunnel, shorter than anybody who reads is silent. */
const STALLED_MS = 30_000;

/** All streams that are open on this replica. */
@Injectable()
export class EventStreams implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly open = new Map<EventStream, Caller>();
  private readonly beating: Periodic;
  private stopping = false;

  constructor(
    private readonly store: FeedStore,
    private readonly tail: FeedTail,
    private readonly keys: ApiKeyStore,
    @Inject(CONFIGURATION) configuration: GatewayConfiguration,
    metrics: Metrics,
    private readonly logger: Logger,
  ) {
    this.beating = new Periodic('beat-event-streams', configuration.eventsHeartbeatSeconds * 1000, () => this.beat(), logger);
    const gauge = metrics.gauge('latchkey_gateway_event_streams', 'Streams of GET /v1/events that are open', []);
    metrics.beforeScrape(async () => gauge.set(this.open.size));
  }

  /** Starts the heartbeat. */
  onApplicationBootstrap(): void {
    this.beating.start();
  }

  /**
   * Answers with the caller's events, from after `lastEventId`, or from now on. What a client is told of after it has
   * seen the headers is never older than that moment.
   */
  async serve(caller: Caller, lastEventId: number | undefined, reply: FastifyReply): Promise<void> {
    if (this.stopping) throw new Problem('unavailable', { detail: 'the gateway is stopping', retryAfterSeconds: 1 });
    let stream: EventStream | undefined;
    const follower = this.tail.follow(caller.merchantId, (event) => stream?.offer(event));
    try {
      const last = await this.store.lastSequence();
      await follower.live;
      if (reply.raw.destroyed) return follower.stop();
      // An id from beyond the end (of a database that was restored, say) would be silence until the feed had come so far.
      stream = this.begin(caller, Math.min(lastEventId ?? last, last), reply, follower);
    } catch (error) {
      follower.stop();
      throw error;
    }
    await stream.catchUp();
  }

  /** Ends every stream; the clients come back, to another replica or later, with their last id. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    for (const stream of this.open.keys()) stream.end();
    await this.beating.stop();
  }

  private begin(caller: Caller, after: number, reply: FastifyReply, follower: Follower): EventStream {
    const { merchantId } = caller;
    reply.hijack();
    const stream = new EventStream({
      output: reply.raw,
      after,
      page: (from) => this.store.ofMerchantAfter(merchantId, from, PAGE_MAX),
      stalledMs: STALLED_MS,
      onFailure: (error) => this.logger.warn('an event stream ended early', { merchantId }, error),
    });
    this.open.set(stream, caller);
    reply.raw.once('close', () => {
      this.open.delete(stream);
      follower.stop();
    });
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    reply.raw.write(streamPreamble);
    if (this.stopping) stream.end();
    return stream;
  }

  private async beat(): Promise<void> {
    // Those that are open now: of one that opens while the database is asked nothing is known yet.
    const open = [...this.open];
    if (open.length === 0) return;
    const live = await this.keys.liveAmong([...new Set(open.map(([, { keyId }]) => keyId))]);
    for (const [stream, { keyId }] of open) {
      if (live.has(keyId)) stream.beat();
      else stream.end();
    }
  }
}

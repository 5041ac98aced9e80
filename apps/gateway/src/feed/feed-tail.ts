import { Logger, WokenJob } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable } from '@nestjs/common';
import { type FeedEvent, FeedStore } from './feed-store.js';

type Listener = (event: FeedEvent) => void;

/** Somebody who follows the feed of a merchant. */
export interface Follower {
  /** Resolves when every event that is numbered from then on will be heard. */
  readonly live: Promise<void>;
  stop(): void;
}

/** Events that another replica numbered are seen so late at most. */
const POLL_MS = 150;
const PAGE_MAX = 500;

/** Reads the end of the feed once for everybody on this replica who follows it, and not at all while nobody does. */
@Injectable()
export class FeedTail implements BeforeApplicationShutdown {
  private readonly listeners = new Map<string, Set<Listener>>();
  private readonly reading: WokenJob;
  /** The last number that was read; undefined while nobody listens. */
  private sequence: number | undefined;
  private awaitingLive: (() => void)[] = [];

  constructor(
    private readonly store: FeedStore,
    logger: Logger,
  ) {
    this.reading = new WokenJob('read-feed', POLL_MS, () => this.read(), logger);
  }

  /** Hears a merchant's events, in order, until stopped. */
  follow(merchantId: string, listener: Listener): Follower {
    const ofMerchant = this.listeners.get(merchantId) ?? new Set();
    this.listeners.set(merchantId, ofMerchant.add(listener));
    const live = this.sequence === undefined ? new Promise<void>((resolve) => this.awaitingLive.push(resolve)) : Promise.resolve();
    this.reading.start();
    return { live, stop: () => this.leave(merchantId, ofMerchant, listener) };
  }

  /** Says that events were numbered. */
  wake(): void {
    this.reading.wake();
  }

  /** Stops reading. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.reading.stop();
  }

  private leave(merchantId: string, ofMerchant: Set<Listener>, listener: Listener): void {
    ofMerchant.delete(listener);
    if (ofMerchant.size === 0 && this.listeners.get(merchantId) === ofMerchant) this.listeners.delete(merchantId);
    if (this.listeners.size > 0) return;
    this.sequence = undefined;
    void this.reading.stop();
  }

  private async read(): Promise<void> {
    if (this.sequence === undefined) await this.begin();
    for (let page = PAGE_MAX; page === PAGE_MAX; ) {
      const { sequence } = this;
      if (sequence === undefined) return;
      const events = await this.store.after(sequence, PAGE_MAX);
      // Everybody left meanwhile, and perhaps somebody came anew: their reading begins at its own place.
      if (this.sequence !== sequence) return;
      for (const event of events) this.tell(event);
      page = events.length;
    }
  }

  private async begin(): Promise<void> {
    const sequence = await this.store.lastSequence();
    if (this.listeners.size === 0) return;
    this.sequence = sequence;
    for (const resolve of this.awaitingLive.splice(0)) resolve();
  }

  private tell(event: FeedEvent): void {
    if (this.sequence === undefined) return;
    this.sequence = event.sequence;
    for (const listener of this.listeners.get(event.merchantId) ?? []) listener(event);
  }
}

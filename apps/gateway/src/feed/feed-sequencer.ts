import { CONFIGURATION, Logger, Periodic, WokenJob } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { DeliverySender } from '../webhooks/delivery-sender.js';
import { DeliveryStore } from '../webhooks/delivery-store.js';
import { FeedStore } from './feed-store.js';
import { FeedTail } from './feed-tail.js';

/** What another replica stored and did not number, because it ended in between, is numbered so late. */
const IDLE_MS = 1_000;
const PRUNE_INTERVAL_MS = 3_600_000;
const PRUNED_AT_ONCE_MAX = 1_000;

/** Numbers the events of the feed, and forgets old ones. Every replica does both; the database lets one at a time. */
@Injectable()
export class FeedSequencer implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly numbering: WokenJob;
  private readonly pruning: Periodic;

  constructor(
    private readonly store: FeedStore,
    private readonly tail: FeedTail,
    private readonly deliveries: DeliveryStore,
    private readonly sender: DeliverySender,
    @Inject(CONFIGURATION) private readonly configuration: GatewayConfiguration,
    logger: Logger,
  ) {
    this.numbering = new WokenJob('number-feed', IDLE_MS, () => this.number(), logger);
    this.pruning = new Periodic('prune-feed', PRUNE_INTERVAL_MS, (stopping) => this.prune(stopping), logger);
  }

  /** Starts both jobs. */
  onApplicationBootstrap(): void {
    this.numbering.start();
    this.pruning.start();
  }

  /** Says that events were stored. */
  wake(): void {
    this.numbering.wake();
  }

  /** Lets both jobs end. */
  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all([this.numbering.stop(), this.pruning.stop()]);
  }

  private async number(): Promise<void> {
    while (await this.store.hasUnnumbered()) {
      if ((await this.store.number((tx, numbered) => this.deliveries.enqueue(tx, numbered))) === 0) continue;
      this.tail.wake();
      this.sender.wake();
    }
  }

  private async prune(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && (await this.store.prune(this.configuration.feedRetentionDays, PRUNED_AT_ONCE_MAX)) === PRUNED_AT_ONCE_MAX);
  }
}

import { CONFIGURATION, Logger, WokenJob } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { judgeAttempt } from './attempt-verdict.js';
import { type ClaimedDelivery, DeliveryQueue } from './delivery-queue.js';
import { type AttemptOutcome, type Network, postWebhook } from './post-webhook.js';
import { createResolveHost } from './resolve-host.js';
import { PLACES_OF_ONE, PLACES_OF_ONE_FAILING, SendingPlaces } from './sending-places.js';
import { bodyOf, signedHeaders } from './signed-message.js';
import { WebhookMetrics } from './webhook-metrics.js';
import { WebhookSecrets } from './webhook-secrets.js';

/** What another replica stored, or is due again, is found so late at most. */
const POLL_MS = 500;
/** How much longer than an attempt may take its lease holds: time enough to write down what came of it. */
const LEASE_MARGIN_SECONDS = 20;
/** How long a stop lets attempts end before it breaks them off. */
const STOP_GRACE_MS = 3_000;

/** Sends what is due to webhooks. Every replica does; each delivery is attempted by one of them at a time. */
@Injectable()
export class DeliverySender implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly claiming: WokenJob;
  private readonly places = new SendingPlaces();
  private readonly underWay = new Set<Promise<void>>();
  private readonly stopping = new AbortController();
  private readonly network: Network;
  private readonly leaseSeconds: number;

  constructor(
    private readonly queue: DeliveryQueue,
    private readonly secrets: WebhookSecrets,
    private readonly metrics: WebhookMetrics,
    @Inject(CONFIGURATION) { webhookReach, webhookTimeoutSeconds }: GatewayConfiguration,
    private readonly logger: Logger,
  ) {
    this.network = { reach: webhookReach, timeoutMs: webhookTimeoutSeconds * 1000, resolve: createResolveHost(), stopping: this.stopping.signal };
    this.leaseSeconds = webhookTimeoutSeconds + LEASE_MARGIN_SECONDS;
    this.claiming = new WokenJob('send-webhooks', POLL_MS, () => this.claim(), logger);
  }

  /** Begins to send. */
  onApplicationBootstrap(): void {
    this.claiming.start();
  }

  /** Says that deliveries are due. */
  wake(): void {
    this.claiming.wake();
  }

  /** Lets attempts end; those that take long are broken off, and another replica makes them anew. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.claiming.stop();
    const grace = setTimeout(() => this.stopping.abort(), STOP_GRACE_MS);
    await Promise.all(this.underWay);
    clearTimeout(grace);
  }

  /** Those that answer come first, so that those that do not cannot take the last place from them. */
  private async claim(): Promise<void> {
    for (const failing of [false, true]) {
      const limit = this.places.free(failing);
      if (limit === 0) continue;
      const perWebhook = failing ? PLACES_OF_ONE_FAILING : PLACES_OF_ONE;
      const claimed = await this.queue.claim({ failing, perWebhook, limit, underWay: this.places.underWay, leaseSeconds: this.leaseSeconds });
      for (const delivery of claimed) this.begin(delivery);
    }
  }

  private begin(delivery: ClaimedDelivery): void {
    this.places.take(delivery);
    const attempt = this.deliver(delivery)
      // The lease ends by itself, and the delivery is attempted again: better twice than never.
      .catch((error: unknown) => this.logger.warn('what came of a webhook delivery was not written down', namesOf(delivery), error))
      .finally(() => {
        this.underWay.delete(attempt);
        this.places.give(delivery);
        this.claiming.wake();
      });
    this.underWay.add(attempt);
  }

  private async deliver(delivery: ClaimedDelivery): Promise<void> {
    const startedMs = performance.now();
    const outcome = await this.attempt(delivery);
    if (outcome.kind === 'interrupted') return this.queue.release(delivery);
    const verdict = judgeAttempt(outcome, delivery.attempt, Math.random());
    if (!(await this.queue.settle(delivery, verdict))) return;
    this.metrics.count(verdict, (performance.now() - startedMs) / 1000);
    const line = { ...namesOf(delivery), attempt: delivery.attempt, status: verdict.status, failure: verdict.failure };
    if (verdict.state === 'delivered') this.logger.debug('a webhook took a delivery', line);
    else if (verdict.state === 'failed') this.logger.warn('a webhook delivery was given up', line);
    else this.logger.info('a webhook did not take a delivery', line);
  }

  private async attempt({ deliveryId, webhookId, url, wrappedSecrets, ...event }: ClaimedDelivery): Promise<AttemptOutcome> {
    const opened = wrappedSecrets.map((wrapped) => this.secrets.open(webhookId, wrapped)).filter((secret) => secret !== undefined);
    if (opened.length === 0) return { kind: 'unanswered', failure: 'secret-unreadable' };
    const body = bodyOf({ deliveryId, ...event });
    return postWebhook({ url: new URL(url), headers: signedHeaders(deliveryId, body, opened, new Date()), body }, this.network);
  }
}

/** What a log line may know of a delivery: not its URL, in which receivers keep secrets of theirs. */
function namesOf({ webhookId, deliveryId, type }: ClaimedDelivery): { webhookId: string; deliveryId: string; type: string } {
  return { webhookId, deliveryId, type };
}

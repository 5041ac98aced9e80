import { Metrics } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import type { AttemptVerdict } from './attempt-verdict.js';
import { DeliveryQueue } from './delivery-queue.js';
import { WebhookStore } from './webhook-store.js';

/** What an operator watches of webhooks. Labels name outcomes, never merchants or receivers. */
@Injectable()
export class WebhookMetrics {
  private readonly attempts;
  private readonly deliveries;
  private readonly duration;

  constructor(metrics: Metrics, queue: DeliveryQueue, webhooks: WebhookStore) {
    this.attempts = metrics.counter('latchkey_webhook_attempts_total', 'Attempts to deliver to webhooks by outcome: taken, or why not', ['outcome']);
    this.deliveries = metrics.counter('latchkey_webhook_deliveries_total', 'Deliveries that were taken (delivered) or given up (failed)', ['outcome']);
    this.duration = metrics.histogram('latchkey_webhook_attempt_duration_seconds', 'How long attempts to deliver to webhooks take', []);
    const due = metrics.gauge('latchkey_webhook_due_deliveries', 'Deliveries whose next attempt is due', []);
    const oldest = metrics.gauge('latchkey_webhook_oldest_due_seconds', 'For how long the delivery is due that is due longest', []);
    const byState = metrics.gauge('latchkey_webhooks', 'Webhooks by state', ['state']);
    metrics.beforeScrape(async () => {
      const [now, states] = await Promise.all([queue.due(), webhooks.states()]);
      due.set(now.deliveries);
      oldest.set(now.oldestSeconds);
      for (const [state, count] of Object.entries(states)) byState.set({ state }, count);
    });
  }

  /** Counts an attempt. */
  count({ state, failure }: AttemptVerdict, durationSeconds: number): void {
    this.attempts.inc({ outcome: failure ?? 'taken' });
    this.duration.observe(durationSeconds);
    if (state !== 'pending') this.deliveries.inc({ outcome: state });
  }
}

import type { FinalState } from '../final-state.js';
import type { Entry } from '../history.js';
import { entriesOf, groupBy } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

type Aspect = 'events' | 'receipts';

/**
 * I10. Every event of the merchant's feed reached the webhook. It came twice only around a fault, when nothing can tell
 * whether an attempt got there, and then under the same id.
 */
export function checkWebhooksDelivered(history: readonly Entry[], { feed, webhook }: FinalState): Verdict {
  const findings = new Findings<Aspect>('I10', ['events', 'receipts']);
  const deliveries = new Map(webhook.deliveries.map((delivery) => [delivery.sequence, delivery]));
  const received = groupBy(webhook.received, ({ deliveryId }) => deliveryId);
  for (const { sequence, type, data } of feed) {
    if (data['merchantId'] !== webhook.merchantId || sequence === null) continue;
    findings.try('events');
    const delivery = deliveries.get(sequence);
    if (!delivery) findings.breach(`event ${sequence} (${type}) has no delivery`);
    else if (!received.has(delivery.deliveryId)) findings.breach(`event ${sequence} (${type}) was not received: its delivery is ${delivery.state}`);
    else if (delivery.state !== 'delivered') findings.breach(`event ${sequence} (${type}) was received, and its delivery is ${delivery.state}`);
  }
  const known = new Set(webhook.deliveries.map(({ deliveryId }) => deliveryId));
  const faults = entriesOf(history, 'fault');
  for (const [deliveryId, receipts] of received) {
    findings.try('receipts', receipts.length);
    if (!known.has(deliveryId)) findings.breach(`a delivery ${deliveryId} was received that the gateway does not have`);
    for (const [nth, { atMs }] of receipts.entries()) {
      const beforeMs = receipts[nth - 1]?.atMs ?? atMs;
      const excused = nth === 0 || faults.some(({ startedMs, endedMs }) => startedMs <= atMs && endedMs >= beforeMs);
      if (!excused) findings.breach(`delivery ${deliveryId} was received again without a fault in between`);
    }
  }
  return findings.verdict();
}

import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Anybody may scrape; a scrape must not be a way to have the database counted over and over. */
const COLLECT_INTERVAL_MS = 2_000;

/**
 * The Prometheus metrics that every service has. Services make their own with `metrics.registry`. Standalone gives all
 * of its services one `Metrics`, which tells them apart by the label `service`.
 */
export class Metrics {
  readonly registry = new Registry();
  readonly httpRequests = this.histogram('latchkey_http_request_duration_seconds', 'HTTP requests by route template', ['service', 'method', 'route', 'status']);
  readonly eventsHandled = this.counter('latchkey_events_handled_total', 'Events by what became of them', ['service', 'type', 'verdict']);
  readonly eventDuration = this.histogram('latchkey_event_batch_duration_seconds', 'Duration of the batch in which an event was handled', ['service', 'type']);
  readonly eventFailures = this.counter('latchkey_event_handler_failures_total', 'Event handlers that threw', ['service', 'type']);
  readonly requests = this.histogram('latchkey_request_duration_seconds', 'Requests answered over the broker', ['service', 'name', 'outcome']);
  readonly relayed = this.counter('latchkey_outbox_events_total', 'Events that left the outbox, or did not, by outcome', ['service', 'outcome']);
  readonly outboxEvents = this.gauge('latchkey_outbox_waiting_events', 'Events that wait in the outbox, counted up to 10000', ['service']);
  readonly outboxParked = this.gauge('latchkey_outbox_parked_destinations', 'Routing keys of the outbox that take nothing at present', ['service']);
  readonly outboxLag = this.gauge('latchkey_outbox_oldest_seconds', 'Age of the oldest event in the outbox', ['service']);
  readonly queueDepth = this.gauge('latchkey_queue_messages', 'Messages that wait in the queues of a service (dlq is the quarantine)', ['service', 'queue']);
  readonly clockDifference = this.gauge('latchkey_clock_difference_seconds', 'By how much the clock of this service was ahead of a caller, when last they differed by more than requests bear', ['service']);
  readonly brokerUp = this.gauge('latchkey_broker_up', 'Whether the broker is connected and takes messages', ['service']);
  private readonly collectors: (() => Promise<void>)[] = [];
  private collectedMs = Number.NEGATIVE_INFINITY;

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  /** A counter of this registry. */
  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  /** A gauge of this registry. */
  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Gauge<Label> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }

  /** A histogram of durations in seconds. */
  histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Histogram<Label> {
    return new Histogram({ name, help, labelNames, buckets: secondsBuckets, registers: [this.registry] });
  }

  /** Has `collect` run before each scrape. What it cannot find out it leaves as it was. */
  beforeScrape(collect: () => Promise<void>): void {
    this.collectors.push(collect);
  }

  /** The text that Prometheus scrapes. What it costs queries to find out is found out every few seconds at most. */
  async expose(): Promise<string> {
    if (Date.now() - this.collectedMs >= COLLECT_INTERVAL_MS) {
      this.collectedMs = Date.now();
      await Promise.allSettled(this.collectors.map((collect) => collect()));
    }
    return this.registry.metrics();
  }
}

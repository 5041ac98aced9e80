import { Problem, type ServiceMessaging, type Subscription } from '@latchkey/contracts';
import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { isObservable, lastValueFrom } from 'rxjs';
import { type Broker, done, type IncomingRequest, type RawMessage, type Running, type Verdict } from './broker.js';
import { withCorrelation } from './correlation.js';
import { withDeadline } from './deadline.js';
import type { Delivery } from './delivery.js';
import type { MessagingObserver } from './observer.js';
import type { CheckoutUsers } from './publisher-check.js';
import { readDelivery } from './reading.js';
import { refusalOf } from './requests.js';
import { retryStepOf } from './retry-step.js';
import { WaitWatch } from './wait-watch.js';

/** What the strategy needs to know of its service. */
export interface EventStrategyOptions {
  readonly broker: Broker;
  readonly messaging: ServiceMessaging;
  readonly checkouts: CheckoutUsers;
  readonly observer: MessagingObserver;
  /** Whether an error says that a part is away, so that a request is answered `unavailable` and may be repeated. */
  readonly isUnavailable: (error: unknown) => boolean;
}

/**
 * The Nest transport of Latchkey. It keeps `@EventPattern` and `@MessagePattern` with their pipes and guards, and gives
 * what the stock RMQ transport does not: a handler takes a batch (`Delivery[]`) and answers verdicts, a message is let go
 * only after its verdict is carried out, an error is a retry and never a lost acknowledgement, and `close` drains.
 *
 * A service that hears an event without a handler, or handles one that it does not hear, does not start.
 */
export class EventStrategy extends Server implements CustomTransportStrategy {
  /** Errors of event handlers are awaited here and become retries. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly subscriptions: ReadonlyMap<string, Subscription>;
  private running: Running[] = [];
  private readonly waits: ReadonlyMap<string, WaitWatch>;

  constructor(private readonly options: EventStrategyOptions) {
    super();
    this.subscriptions = new Map(options.messaging.hears.map((subscription) => [subscription.event.type, subscription]));
    this.waits = new Map(options.messaging.hears.map(({ event }) => [event.type, new WaitWatch()]));
  }

  /** Starts consuming and answering; called by Nest. */
  listen(callback: (error?: unknown) => void): void {
    this.start().then(() => callback(), callback);
  }

  /** Takes no more, lets handlers end and their verdicts be carried out; called by Nest and by the service's stop. */
  async close(): Promise<void> {
    const running = this.running;
    this.running = [];
    await Promise.all(running.map((part) => part.stop()));
  }

  /** The strategy has no events of its own. */
  override on(): never {
    throw new Error('the event strategy emits nothing');
  }

  /** The broker is what is underneath. */
  override unwrap<T>(): T {
    return this.options.broker as T;
  }

  private async start(): Promise<void> {
    const { broker, messaging } = this.options;
    this.refuseMismatch();
    const requests = [...this.messageHandlers.values()].some((handler) => !handler.isEventHandler);
    try {
      if (requests) this.running.push(await broker.serve(messaging.service, (request) => this.answer(request)));
      if (this.subscriptions.size > 0) {
        this.running.push(await broker.consume(messaging, (messages) => this.handleBatch(messages)));
      }
    } catch (error) {
      // Half a start would be doubled by the next one.
      await this.close();
      throw error;
    }
  }

  private refuseMismatch(): void {
    const handled = new Set([...this.messageHandlers].filter(([, handler]) => handler.isEventHandler).map(([pattern]) => pattern));
    const deaf = [...this.subscriptions.keys()].filter((type) => !handled.has(type));
    const unsubscribed = [...handled].filter((type) => !this.subscriptions.has(type));
    if (deaf.length > 0) throw new Error(`no handler for subscribed events: ${deaf.join(', ')}`);
    if (unsubscribed.length > 0) throw new Error(`handlers for events that the service does not hear: ${unsubscribed.join(', ')}`);
  }

  /** Reads each message, groups the good ones by type, and answers a verdict for each in the order they came. */
  private async handleBatch(messages: readonly RawMessage[]): Promise<readonly Verdict[]> {
    const verdicts = new Array<Verdict>(messages.length).fill(done);
    const groups = new Map<string, { index: number; delivery: Delivery }[]>();
    for (const [index, message] of messages.entries()) {
      const reading = readDelivery(message, this.options.messaging.service, this.subscriptions, this.options.checkouts);
      if (!reading.ok) {
        const verdict: Verdict = { kind: reading.retry ? 'retry' : 'quarantine', reason: reading.reason };
        verdicts[index] = verdict;
        this.report('unreadable', verdict, 0, message.attempt);
        continue;
      }
      const group = groups.get(reading.type) ?? [];
      group.push({ index, delivery: { event: reading.event, attempt: message.attempt } });
      groups.set(reading.type, group);
    }
    for (const [type, group] of groups) {
      const results = await this.handleGroup(type, group.map(({ delivery }) => delivery));
      for (const [position, { index }] of group.entries()) verdicts[index] = results[position]!;
    }
    return verdicts;
  }

  /** One call of the handler; when it fails, one call a message, so that a bad one harms no other. */
  private async handleGroup(type: string, deliveries: readonly Delivery[]): Promise<readonly Verdict[]> {
    const startedMs = performance.now();
    let verdicts: readonly Verdict[];
    try {
      verdicts = await this.callHandler(type, deliveries);
      this.noteWaits(type, deliveries, verdicts);
    } catch (error) {
      // One by one, they would only fail as often as there are events, each after its own timeout.
      if (this.isAway(error)) return this.wait(type, deliveries, error);
      this.options.observer.failed(type, error);
      if (deliveries.length > 1) {
        const each: Verdict[] = [];
        for (const delivery of deliveries) each.push(...(await this.handleGroup(type, [delivery])));
        return each;
      }
      const retry: Verdict = { kind: 'retry', reason: `the handler failed: ${error instanceof Error ? error.name : 'unknown'}` };
      verdicts = deliveries.map(() => retry);
    }
    if (this.subscriptions.get(type)?.event.urgent) verdicts = verdicts.map(urgently);
    const durationMs = performance.now() - startedMs;
    for (const [index, verdict] of verdicts.entries()) {
      const { event, attempt } = deliveries[index]!;
      withCorrelation(event.correlationid, () => this.report(type, verdict, durationMs, attempt));
    }
    return verdicts;
  }

  /** Tells what becomes of a message: the last attempt ends in the dead-letter queue, whatever the handler asked for. */
  private report(type: string, verdict: Verdict, durationMs: number, attempt: number): void {
    const isLast = verdict.kind === 'retry' && retryStepOf(attempt, verdict, this.options.broker.policy).to === 'dlq';
    const outcome: Verdict = isLast ? { kind: 'quarantine', reason: `attempt ${attempt} was the last: ${verdict.reason}` } : verdict;
    this.options.observer.handled(type, outcome, durationMs, attempt);
  }

  private isAway(error: unknown): boolean {
    return this.options.isUnavailable(error) || (error instanceof Problem && error.code === 'unavailable');
  }

  private wait(type: string, deliveries: readonly Delivery[], error: unknown): readonly Verdict[] {
    // A called service that is away stops only what needs it; without its own database this service can handle nothing.
    const queueWaits = this.options.isUnavailable(error);
    const wait: Verdict = { kind: 'wait', reason: error instanceof Error ? error.name : 'unknown', ...(queueWaits && { queueWaits }) };
    const verdicts = deliveries.map(() => wait);
    this.noteWaits(type, deliveries, verdicts, error);
    return verdicts;
  }

  /** Reports when messages begin to wait and when the last one is handled: an outage of minutes must not fill the log. */
  private noteWaits(type: string, deliveries: readonly Delivery[], verdicts: readonly Verdict[], error?: unknown): void {
    const watch = this.waits.get(type)!;
    if (!watch.isActive && !verdicts.some(({ kind }) => kind === 'wait')) return;
    const keys: { readonly waiting: string[]; readonly handled: string[] } = { waiting: [], handled: [] };
    let reason = '';
    for (const [index, verdict] of verdicts.entries()) {
      const { source, id } = deliveries[index]!.event;
      keys[verdict.kind === 'wait' ? 'waiting' : 'handled'].push(`${source} ${id}`);
      if (verdict.kind === 'wait') ({ reason } = verdict);
    }
    const report = watch.note(keys.waiting, keys.handled, performance.now());
    if (report === 'begins') this.options.observer.waiting(type, reason, error);
    if (report === 'ends') this.options.observer.goesOn(type);
  }

  private async callHandler(type: string, deliveries: readonly Delivery[]): Promise<readonly Verdict[]> {
    const handler = this.messageHandlers.get(type)!;
    const correlationId = deliveries.length === 1 ? deliveries[0]!.event.correlationid : undefined;
    const answer = await withCorrelation(correlationId, () => settled(handler, deliveries));
    if (answer === undefined) return deliveries.map(() => done);
    const verdicts = answer as readonly Verdict[];
    if (verdicts.length !== deliveries.length) throw new Error(`the handler of ${type} answered ${verdicts.length} verdicts for ${deliveries.length} events`);
    return verdicts;
  }

  private problemOf(error: unknown): Problem {
    if (error instanceof Problem) return error;
    if (this.options.isUnavailable(error)) return new Problem('unavailable', { retryAfterSeconds: 1 });
    return new Problem('internal');
  }

  private async answer(request: IncomingRequest): Promise<Buffer> {
    return withDeadline(request.deadlineMs, () => withCorrelation(request.correlationId, () => this.reply(request)));
  }

  private async reply({ name, body }: IncomingRequest): Promise<Buffer> {
    const startedMs = performance.now();
    const handler = this.messageHandlers.get(name);
    const known = handler !== undefined && !handler.isEventHandler;
    // What is asked for comes from outside; an unknown name must not become a label of a metric.
    const report = (outcome: string, error?: unknown): void =>
      this.options.observer.answered(known ? name : 'unknown', outcome, performance.now() - startedMs, error);
    try {
      if (!known) throw new Problem('internal', { detail: 'this service does not answer that request' });
      const value = await settled(handler, JSON.parse(body.toString('utf8')));
      report('ok');
      return Buffer.from(JSON.stringify({ ok: true, value: value ?? null }));
    } catch (error) {
      const problem = this.problemOf(error);
      // A part that is away is no fault of this request, and would fill the log: the metric and the health checks tell of it.
      const isFault = problem.code !== 'unavailable';
      report(problem.code, isFault ? (error instanceof Problem ? error.cause : error) : undefined);
      return refusalOf(problem);
    }
  }
}

function urgently(verdict: Verdict): Verdict {
  return verdict.kind === 'retry' ? { ...verdict, urgent: true } : verdict;
}

/** Awaits what a Nest handler proxy returns: a value, or a stream that errors where the handler threw. */
async function settled(handler: MessageHandler, payload: unknown): Promise<unknown> {
  const result: unknown = await handler(payload);
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}

import type { CloudEvent, ServiceMessaging } from '@latchkey/contracts';
import {
  ATTEMPTS_MAX,
  retryLadder,
  type BatchHandler,
  type Broker,
  type OutgoingEvent,
  type OutgoingRequest,
  type PublishOutcome,
  publicationHeardBy,
  publicationOf,
  type RawMessage,
  type RequestHandler,
  RequestUnroutable,
  type Running,
  toMessage,
  type Verdict,
} from '@latchkey/messaging';
import { messaging } from '../src/subscriptions.js';

/** What an event is delivered with, where it matters to the test. */
export interface DeliveryDetails {
  readonly id?: string;
  readonly attempt?: number;
  readonly correlationid?: string;
}

/** An event as a test hands it to the service. */
export type GivenEvent = readonly [event: { readonly type: string }, data: object, details?: DeliveryDetails];

/** What a neighbour answers; undefined means that it is not there. */
export type Answer = { readonly value: unknown } | { readonly problem: { readonly code: string; readonly status: number } } | undefined;

/**
 * A bus of one service and one test: batches are exactly what the test delivers, and it sees each verdict. Everything
 * below it, the service's strategy, handlers, database and relay, is real.
 */
export class TestBus implements Broker {
  /** While it is down the relay leaves the outbox alone. */
  state: Broker['state'] = 'up';
  readonly missingChannels = (): readonly string[] => [];
  readonly policy = { ladder: retryLadder, attemptsMax: ATTEMPTS_MAX };
  readonly published: CloudEvent[] = [];
  /** Events as the gateway is told them. */
  readonly copiesToGateway: CloudEvent[] = [];
  /** Answers what the service asks its neighbours. */
  neighbour: (name: string, input: never) => Answer = () => undefined;
  private handler: BatchHandler | undefined;
  private server: RequestHandler | undefined;

  /** Delivers one batch and waits for its verdicts. */
  async deliver(...events: readonly GivenEvent[]): Promise<readonly Verdict[]> {
    return this.handler!(events.map(rawMessage));
  }

  /** Asks the service as the gateway does. */
  async ask(name: string, input: unknown): Promise<{ ok: boolean; value?: unknown; problem?: { code: string; status: number } }> {
    const body = Buffer.from(JSON.stringify(input));
    const answer = await this.server!({ name, body, correlationId: 'test-correlation', deadlineMs: Date.now() + 5_000 });
    return JSON.parse(answer.toString('utf8')) as never;
  }

  async declare(_service: ServiceMessaging): Promise<void> {}

  async publish(events: readonly OutgoingEvent[]): Promise<readonly PublishOutcome[]> {
    for (const { copyFor, ...event } of events) (copyFor === undefined ? this.published : this.copiesToGateway).push(event);
    return events.map(() => 'confirmed');
  }

  async consume(_service: ServiceMessaging, handler: BatchHandler): Promise<Running> {
    this.handler = handler;
    return { stop: async () => {} };
  }

  async serve(_service: string, handler: RequestHandler): Promise<Running> {
    this.server = handler;
    return { stop: async () => {} };
  }

  async request(_service: string, request: OutgoingRequest): Promise<Buffer> {
    const answer = this.neighbour(request.name, JSON.parse(request.body.toString('utf8')) as never);
    if (!answer) throw new RequestUnroutable('nobody serves this');
    return Buffer.from(JSON.stringify('value' in answer ? { ok: true, value: answer.value } : { ok: false, problem: answer.problem }));
  }

  async quarantined(): Promise<readonly []> {
    return [];
  }

  async redrive(): Promise<number> {
    return 0;
  }

  async depths(): Promise<readonly []> {
    return [];
  }

  async close(): Promise<void> {}
}

function rawMessage([{ type }, data, details = {}]: GivenEvent): RawMessage {
  const { id = crypto.randomUUID(), attempt = 1, correlationid } = details;
  const event = { specversion: '1.0' as const, id, source: 'urn:test', type, correlationid, data };
  const { body, contentType, headers } = toMessage(event);
  const publisher = `checkout-${(data as { merchantId: string }).merchantId}`;
  const heard = messaging.hears.find((subscription) => subscription.event.type === type);
  const publication = heard ? publicationHeardBy(messaging.service, heard) : publicationOf(type);
  return { body, contentType, headers, ...publication, publisher, attempt, redelivered: false };
}

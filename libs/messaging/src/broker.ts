import type { CloudEvent, ServiceMessaging, ServiceName } from '@latchkey/contracts';

/**
 * What became of one published event. `confirmed`: the broker has it safe in at least one queue. `unroutable`: it came
 * back because no queue is bound for it. `failed`: nobody knows; publishing it again under the same id is right.
 */
export type PublishOutcome = 'confirmed' | 'unroutable' | 'failed';

/** An event to be published: the original for all to see, or the copy for one service (ADR 11). */
export interface OutgoingEvent extends CloudEvent {
  readonly copyFor?: ServiceName;
}

/** One message as it arrived, before anybody has looked whether it is an event that the service can use. */
export interface RawMessage {
  readonly body: Buffer;
  readonly contentType: string | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  /**
   * The exchange and routing key with which it was published. A retry and a redrive keep the routing key, so that what
   * is checked against it is checked every time.
   */
  readonly exchange: string;
  readonly routingKey: string;
  /** The broker user that published it, as the broker itself validated it; undefined where the publisher did not say. */
  readonly publisher: string | undefined;
  /** 1 the first time, one more with each rung of the retry ladder. */
  readonly attempt: number;
  readonly redelivered: boolean;
}

/**
 * What a consumer decides about one message. `done` acknowledges it; `retry` puts it on the next rung of the ladder
 * (the last rung again and again, and in quarantine after `ATTEMPTS_MAX`); `quarantine` puts it aside at once, with its reason. `reason` is kept with the message
 * and logged: no payload in it.
 *
 * `wait` is for a message that could not be handled because a part is away: a database, or a service that was called. It
 * stays in the consumer's hands, unacknowledged, and is handled again after a short delay. No attempt is counted, and other
 * messages are handled meanwhile. `queueWaits` says that the part is one that every message needs, as the service's own database:
 * then the queue waits as well, once the consumer has as many in its hands as it takes. Without it, what is more than a batch
 * goes to the first rung of the ladder, uncounted, so that a called service that is away delays no message that can do without it.
 *
 * An `urgent` retry (a revocation, a refund, a signing key) waits on the short rungs only.
 */
export type Verdict =
  | { readonly kind: 'done' }
  | { readonly kind: 'wait'; readonly reason: string; readonly queueWaits?: boolean }
  | { readonly kind: 'retry'; readonly reason: string; readonly urgent?: boolean }
  | { readonly kind: 'quarantine'; readonly reason: string };

/** The verdict of a message that was handled, or needs no handling. */
export const done = { kind: 'done' } as const satisfies Verdict;

/**
 * Handles whatever was waiting (1 to `batchSizeMax` messages, no lingering) and answers one verdict a message, in their
 * order. When it rejects, the broker treats the whole batch as not handled and repeats it.
 */
export type BatchHandler = (messages: readonly RawMessage[]) => Promise<readonly Verdict[]>;

/** A running consumption or service; `stop` takes no more, lets what is under way end, settles it, and resolves. */
export interface Running {
  stop(): Promise<void>;
}

/** A request as it reaches the service that answers it. */
export interface IncomingRequest {
  readonly name: string;
  readonly body: Buffer;
  readonly correlationId: string | undefined;
  /** Milliseconds since 1970 after which the asker no longer listens: a late request must do nothing. */
  readonly deadlineMs: number;
}

/** Answers one request; resolves to the bytes of the answer. Never rejects for what the domain refuses. */
export type RequestHandler = (request: IncomingRequest) => Promise<Buffer>;

/** A message that was put aside, as `npm run quarantine -- list` shows it. */
export interface QuarantinedMessage {
  readonly id: string;
  readonly type: string | undefined;
  readonly reason: string;
  readonly attempt: number;
  readonly quarantinedAt: string | undefined;
}

/** How the connection to the broker is. `blocked`: the broker takes nothing because it lacks disk or memory. */
export type BrokerState = 'up' | 'down' | 'blocked';

/** How many messages wait where: one entry for each queue of the service. `in` counts what this process has in hand as well. */
export interface QueueDepth {
  readonly queue: 'in' | 'retry' | 'dlq';
  readonly messages: number;
}

/**
 * The bus between services: RabbitMQ, or one process. Both keep the same promises, and one contract suite holds both to
 * them: an accepted event is never lost, a handler sees it at least once, its verdict is carried out before the message
 * is let go, and poison does not delay its neighbours.
 */
export interface Broker {
  readonly state: BrokerState;
  /** How often, and after what delays, a message is tried again. */
  readonly policy: RetryPolicy;
  /**
   * What was started and has no channel at the moment, in words for an operator. While the connection is up this means that one
   * queue cannot be reached, because its node is down, say. Empty if all is well.
   */
  missingChannels(): readonly string[];
  /** Declares the service's queues and bindings; repeating it is harmless. */
  declare(service: ServiceMessaging): Promise<void>;
  /** Publishes with confirms and `mandatory`, in the order given; one outcome an event, in their order. Never rejects. */
  publish(events: readonly OutgoingEvent[]): Promise<readonly PublishOutcome[]>;
  /** Starts consuming `<service>.in`; keeps consuming through channel errors, `basic.cancel` and reconnects until stopped. */
  consume(service: ServiceMessaging, handler: BatchHandler): Promise<Running>;
  /** Asks a service. Rejects with `RequestTimeout` or `RequestUnroutable`. */
  request(service: ServiceName, request: OutgoingRequest): Promise<Buffer>;
  /** Starts answering requests to a service. */
  serve(service: ServiceName, handler: RequestHandler): Promise<Running>;
  /** What lies in a service's quarantine, oldest first. Looking changes nothing. */
  quarantined(service: ServiceName, limit: number): Promise<readonly QuarantinedMessage[]>;
  /** Puts quarantined messages back into the service's queue as first attempts; all, or those with these ids. */
  redrive(service: ServiceName, ids?: readonly string[]): Promise<number>;
  /** How many messages wait in the service's queues. */
  depths(service: ServiceName): Promise<readonly QueueDepth[]>;
  /** Closes the connection, after everything that was started has been stopped. */
  close(): Promise<void>;
}

/** A request to a service. */
export interface OutgoingRequest {
  readonly name: string;
  readonly body: Buffer;
  readonly correlationId: string | undefined;
  readonly timeoutMs: number;
}

/** Nobody answered in time. The service may still have done it: only what is safe to repeat may be repeated. */
export class RequestTimeout extends Error {
  override readonly name = 'RequestTimeout';
}

/** Nobody serves such requests now. Nothing was done. */
export class RequestUnroutable extends Error {
  override readonly name = 'RequestUnroutable';
}

/** One rung of the retry ladder: a queue in which a message waits before it comes back. */
export interface RetryRung {
  readonly name: string;
  readonly delayMs: number;
}

/** The rungs of the retry ladder. Attempts past the last rung wait on the last rung. */
export const retryLadder: readonly RetryRung[] = [
  { name: '5s', delayMs: 5_000 },
  { name: '30s', delayMs: 30_000 },
  { name: '5m', delayMs: 300_000 },
  { name: '30m', delayMs: 1_800_000 },
];

/** The most messages that a handler is given at once. */
export const BATCH_SIZE_MAX = 200;

/** How often, and after what waits, a message is tried before it goes to quarantine. */
export interface RetryPolicy {
  readonly ladder: readonly RetryRung[];
  readonly attemptsMax: number;
  /** The same of urgent messages, whose rungs are shorter; as `attemptsMax` if left out. */
  readonly urgentAttemptsMax?: number;
}

/** After so many attempts (about eight hours) a message that still fails goes to quarantine, which alerts. */
export const ATTEMPTS_MAX = 20;

/** The same for urgent messages, which wait 30 s at most between two attempts. */
export const URGENT_ATTEMPTS_MAX = 960;

import { EVENTS_EXCHANGE, type ServiceMessaging, type ServiceName, type Subscription } from '@latchkey/contracts';
import { type RetryRung, retryLadder } from './broker.js';

/**
 * The topic exchange for copies, one a hearing service, with `<service>.<type>` as routing key. One publication for each
 * queue that must get it: so `mandatory` returns what any of them would miss.
 */
export const COPIES_EXCHANGE = 'latchkey.copies';

/** Under what an event is published: as the original, or as the copy for one service. */
export interface Publication {
  readonly exchange: string;
  readonly routingKey: string;
}

/** Under what an event of this type is published. */
export function publicationOf(type: string, copyFor?: ServiceName): Publication {
  if (copyFor === undefined) return { exchange: EVENTS_EXCHANGE, routingKey: type };
  return { exchange: COPIES_EXCHANGE, routingKey: `${copyFor}.${type}` };
}

/** Under what a service hears an event. */
export function publicationHeardBy(service: ServiceName, { by, event }: Subscription): Publication {
  return publicationOf(event.type, by === 'copy' ? service : undefined);
}

/** The topic exchange of requests between services, with the request's name (`<service>.<request>`) as routing key. */
export const REQUESTS_EXCHANGE = 'latchkey.requests';

/**
 * Where the release before sends and takes requests: a direct exchange, and one classic queue for each service. While replicas
 * of both releases run, a service takes requests from here too, and a caller tries here what no new replica takes. To be removed
 * with the next release.
 */
export const FORMER_REQUESTS_EXCHANGE = 'latchkey.rpc';

/** An exchange. All are durable, and none has an alternate exchange: what that routes would not come back as unroutable. */
export interface ExchangeDeclaration {
  readonly name: string;
  readonly type: 'topic' | 'direct';
  /** Shared exchanges belong to no service: with least privilege a service may use them but not declare them. */
  readonly shared: boolean;
}

/** A durable queue with its `x-` arguments. */
export interface QueueDeclaration {
  readonly name: string;
  readonly arguments: Readonly<Record<string, string | number>>;
}

/** Messages of `exchange` with this routing key go to `queue`. */
export interface BindingDeclaration {
  readonly exchange: string;
  readonly queue: string;
  readonly routingKey: string;
}

/** Exchanges, queues and bindings, in an order in which they can be declared. */
export interface Topology {
  readonly exchanges: readonly ExchangeDeclaration[];
  readonly queues: readonly QueueDeclaration[];
  readonly bindings: readonly BindingDeclaration[];
}

/** The names of what belongs to one service. */
export interface ServiceNames {
  readonly in: string;
  readonly dlq: string;
  readonly requests: string;
  readonly formerRequests: string;
  readonly retryExchange: string;
  rung(name: string): string;
}

/** Names the queues and the retry exchange of a service. */
export function namesOf(service: ServiceName): ServiceNames {
  return {
    in: `${service}.in`,
    dlq: `${service}.dlq`,
    requests: `${service}.requests`,
    formerRequests: `${service}.rpc`,
    retryExchange: `${service}.retry`,
    rung: (name) => `${service}.retry.${name}`,
  };
}

/** The routing keys of a service's retry exchange, beside the names of the rungs. */
export const RETRY_KEYS = { in: 'in', dlq: 'dlq' } as const;

/**
 * More deliveries than anybody will cause. Reading a message in quarantine and putting it back counts as a delivery, and
 * RabbitMQ 4 deletes after 20 of them what has no limit of its own: looking at the quarantine would empty it. (-1 says
 * "no limit" to RabbitMQ 4 only; 3 takes it for 0.)
 */
const DELIVERIES_WITHOUT_LIMIT = 1_000_000_000;

/**
 * How long a queue for requests lives without a consumer. Its binding outlives the last replica otherwise, and takes requests that a
 * replica of the release before would answer: during a rollback every one of them would time out.
 */
const REQUEST_QUEUE_UNUSED_MS_MAX = 10_000;

/** With at-least-once a message is let go when its next queue has confirmed it; the default may drop it on the way. */
const deadLetterSafely = { 'x-dead-letter-strategy': 'at-least-once', 'x-overflow': 'reject-publish' } as const;

/**
 * What a service needs in order to hear its events: its queue, its retry ladder and its quarantine, bound to exactly
 * what it hears. Arguments are what the meaning of the queues depends on, so that a bare broker works; tunables are
 * policies (see `definitionsOf`). They are arguments that RabbitMQ knows from 3.10 on.
 *
 * Without the policy RabbitMQ 4 moves a message from `in` to quarantine after 20 deliveries: that takes a consumer that
 * crashes 20 times, and loses nothing. RabbitMQ 3 has no limit.
 */
export function eventTopology(messaging: ServiceMessaging, ladder: readonly RetryRung[] = retryLadder): Topology {
  const names = namesOf(messaging.service);
  const toRetryExchange = (routingKey: string) => ({
    'x-queue-type': 'quorum',
    'x-dead-letter-exchange': names.retryExchange,
    'x-dead-letter-routing-key': routingKey,
    ...deadLetterSafely,
  });
  const bind = (exchange: string, routingKey: string, queue: string): BindingDeclaration => ({ exchange, queue, routingKey });
  return {
    exchanges: [
      { name: EVENTS_EXCHANGE, type: 'topic', shared: true },
      { name: COPIES_EXCHANGE, type: 'topic', shared: true },
      { name: names.retryExchange, type: 'direct', shared: false },
    ],
    queues: [
      { name: names.dlq, arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERIES_WITHOUT_LIMIT } },
      ...ladder.map(({ name, delayMs }) => ({
        name: names.rung(name),
        arguments: { ...toRetryExchange(RETRY_KEYS.in), 'x-message-ttl': delayMs },
      })),
      { name: names.in, arguments: toRetryExchange(RETRY_KEYS.dlq) },
    ],
    bindings: [
      bind(names.retryExchange, RETRY_KEYS.dlq, names.dlq),
      bind(names.retryExchange, RETRY_KEYS.in, names.in),
      ...ladder.map(({ name }) => bind(names.retryExchange, name, names.rung(name))),
      ...messaging.hears.map((subscription) => ({ queue: names.in, ...publicationHeardBy(messaging.service, subscription) })),
    ],
  };
}

/** What a service needs in order to ask others. */
export const askerTopology: Topology = {
  exchanges: [
    { name: REQUESTS_EXCHANGE, type: 'topic', shared: true },
    { name: FORMER_REQUESTS_EXCHANGE, type: 'direct', shared: true },
  ],
  queues: [],
  bindings: [],
};

/**
 * What a service needs in order to answer requests. A quorum queue: requests live for seconds and are worth no replication, but
 * a classic queue lives on one node, and while that node is down every request would fail. It exists only for services that
 * serve, so that asking any other is unroutable at once, and as long as they have a replica that takes requests.
 */
export function requestTopology(service: ServiceName): Topology {
  const { requests } = namesOf(service);
  return {
    ...askerTopology,
    queues: [{ name: requests, arguments: { 'x-queue-type': 'quorum', 'x-expires': REQUEST_QUEUE_UNUSED_MS_MAX } }],
    bindings: [{ exchange: REQUESTS_EXCHANGE, queue: requests, routingKey: `${service}.#` }],
  };
}

/** The same for callers of the release before. */
export function formerRequestTopology(service: ServiceName): Topology {
  const { formerRequests } = namesOf(service);
  return {
    ...askerTopology,
    queues: [{ name: formerRequests, arguments: { 'x-queue-type': 'classic' } }],
    bindings: [{ exchange: FORMER_REQUESTS_EXCHANGE, queue: formerRequests, routingKey: service }],
  };
}

/** Whether some service asks this one. */
export function isAsked(service: ServiceName, services: readonly ServiceMessaging[]): boolean {
  return services.some(({ asks }) => asks.includes(service));
}

/**
 * The topology of a whole system: every service's events, and the requests to those that are asked. Throws where the
 * services' lists contradict each other.
 */
export function topologyOf(services: readonly ServiceMessaging[], ladder: readonly RetryRung[] = retryLadder): Topology {
  refuseContradictions(services);
  const parts = services.flatMap((messaging) => [
    eventTopology(messaging, ladder),
    ...(isAsked(messaging.service, services) ? [requestTopology(messaging.service), formerRequestTopology(messaging.service)] : []),
  ]);
  const exchanges = new Map(parts.flatMap((part) => part.exchanges).map((exchange) => [exchange.name, exchange]));
  return {
    exchanges: [...exchanges.values()],
    queues: parts.flatMap(({ queues }) => queues),
    bindings: parts.flatMap(({ bindings }) => bindings),
  };
}

/**
 * Two services that hear one original would hide each other's lost binding; a copy that nobody says never comes; a copy
 * that nobody hears never leaves the outbox. (What no service says comes from outside and has no copies.)
 */
function refuseContradictions(services: readonly ServiceMessaging[]): void {
  const heard = services.flatMap(({ service, hears }) => hears.map(({ event, by }) => ({ service, type: event.type, by })));
  const copies = services.flatMap(({ says }) => says.flatMap(({ event, copiesTo }) => copiesTo.map((to) => publicationOf(event.type, to).routingKey)));
  const originals = heard.filter(({ by }) => by === 'original');
  const expected = heard.filter(({ by }) => by === 'copy').map(({ service, type }) => publicationOf(type, service).routingKey);
  const problems = [
    ...originals
      .filter(({ type }, index) => originals.findIndex((other) => other.type === type) < index)
      .map(({ service, type }) => `${service} hears the original of ${type}, as another service does: let it hear a copy`),
    ...expected.filter((key) => !copies.includes(key)).map((key) => `nobody says the copy ${key}`),
    ...copies.filter((key) => !expected.includes(key)).map((key) => `nobody hears the copy ${key}`),
    ...copies.filter((key, index) => copies.indexOf(key) < index).map((key) => `the copy ${key} is said twice`),
    ...services.flatMap(({ service, says }) =>
      says.filter(({ passedOn, copiesTo }) => passedOn && copiesTo.length === 0).map(({ event }) => `${service} passes ${event.type} on to nobody`),
    ),
  ];
  if (problems.length > 0) throw new Error(`the lists of subscriptions contradict each other: ${problems.join('; ')}`);
}

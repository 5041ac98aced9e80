import { EVENTS_EXCHANGE, type ServiceMessaging, type ServiceName } from '@latchkey/contracts';
import { type RetryRung, retryLadder } from './broker.js';
import { COPIES_EXCHANGE, FORMER_REQUESTS_EXCHANGE, isAsked, namesOf, publicationHeardBy, publicationOf, REQUESTS_EXCHANGE, topologyOf } from './topology.js';

/** Whom a broker user acts for, which decides what it may do. */
export type BrokerRole =
  | { readonly kind: 'service'; readonly service: ServiceName }
  | { readonly kind: 'checkout' }
  | { readonly kind: 'administrator' };

/**
 * A user of the broker. A checkout's user belongs to one merchant, by its name (see `checkoutUserOf`). Without a
 * password hash (see `brokerPasswordHash`) nobody can log in until an administrator sets a password.
 */
export interface BrokerUser {
  readonly name: string;
  readonly passwordHash?: string;
  readonly role: BrokerRole;
}

/** What the definitions are made with. */
export interface DefinitionsOptions {
  readonly users: readonly BrokerUser[];
  readonly vhost?: string;
  readonly ladder?: readonly RetryRung[];
}

/** A RabbitMQ definitions document, as `load_definitions` and the management API take it. */
export type Definitions = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>;

/** Regular expressions of the names that a user may configure, write and read. */
interface Rights {
  readonly configure: string;
  readonly write: string;
  readonly read: string;
}

/**
 * High, because a limit counts deliveries and not failures: a consumer that crashes on one message returns all that it
 * was given, and a low limit would put those innocent ones aside too.
 */
const DELIVERY_LIMIT = 100;

const NOTHING = '^$';
const CHECKOUT_TYPES = '^purchase\\.(completed|refunded)\\.v1$';

/**
 * The broker of a whole system as RabbitMQ definitions: the same exchanges, queues and bindings that the services
 * declare (but not the queues that expire without a consumer, which only a running service can keep), the policies with what is tunable, and users who may do what their role needs and nothing else.
 */
export function definitionsOf(services: readonly ServiceMessaging[], options: DefinitionsOptions): Definitions {
  const { users, vhost = '/', ladder = retryLadder } = options;
  const topology = topologyOf(services, ladder);
  const queues = topology.queues.filter((queue) => !('x-expires' in queue.arguments));
  const kept = new Set(queues.map(({ name }) => name));
  const inbound = services.map(({ service }) => namesOf(service).in);
  return {
    vhosts: [{ name: vhost }],
    users: users.map(({ name, passwordHash, role }) => ({
      name,
      password_hash: passwordHash ?? '',
      hashing_algorithm: 'rabbit_password_hashing_sha256',
      tags: role.kind === 'administrator' ? ['administrator'] : [],
    })),
    permissions: users.map((user) => ({ user: user.name, vhost, ...rightsOf(user.role, services, ladder) })),
    topic_permissions: users.flatMap((user) => topicRightsOf(user.role, services).map((rights) => ({ user: user.name, vhost, ...rights }))),
    exchanges: topology.exchanges.map(({ name, type }) => ({
      name,
      vhost,
      type,
      durable: true,
      auto_delete: false,
      internal: false,
      arguments: {},
    })),
    queues: queues.map((queue) => ({ name: queue.name, vhost, durable: true, auto_delete: false, arguments: queue.arguments })),
    bindings: topology.bindings.filter(({ queue }) => kept.has(queue)).map(({ exchange, queue, routingKey }) => ({
      source: exchange,
      vhost,
      destination: queue,
      destination_type: 'queue',
      routing_key: routingKey,
      arguments: {},
    })),
    policies: [
      {
        vhost,
        name: 'latchkey-delivery-limit',
        pattern: exactly(inbound),
        'apply-to': 'queues',
        priority: 0,
        definition: { 'delivery-limit': DELIVERY_LIMIT },
      },
    ],
  };
}

/**
 * What a role may do. A service owns its queues and its retry exchange, and uses the shared exchanges without being able
 * to change or delete them. Who answers requests must write the default exchange, which is where direct reply-to
 * addresses lie: the one exception to "nobody writes `amq.default`". A message that reaches a queue that way has the
 * queue's name for a routing key, so it is refused as an event.
 */
function rightsOf(role: BrokerRole, services: readonly ServiceMessaging[], ladder: readonly RetryRung[]): Rights {
  if (role.kind === 'administrator') return { configure: '.*', write: '.*', read: '.*' };
  if (role.kind === 'checkout') return { configure: NOTHING, write: exactly([EVENTS_EXCHANGE]), read: NOTHING };
  const messaging = messagingOf(role.service, services);
  const names = namesOf(role.service);
  const asked = isAsked(role.service, services);
  const own = [names.in, names.dlq, names.retryExchange, ...ladder.map(({ name }) => names.rung(name)), ...(asked ? [names.requests, names.formerRequests] : [])];
  const asks = messaging.asks.length > 0;
  return {
    configure: exactly(own),
    write: exactly([
      ...own,
      ...(messaging.says.some(({ passedOn }) => !passedOn) ? [EVENTS_EXCHANGE] : []),
      ...(messaging.says.some(({ copiesTo }) => copiesTo.length > 0) ? [COPIES_EXCHANGE] : []),
      ...(asks ? [REQUESTS_EXCHANGE, FORMER_REQUESTS_EXCHANGE] : []),
      ...(asked ? ['amq.default'] : []),
    ]),
    read: exactly([...own, EVENTS_EXCHANGE, COPIES_EXCHANGE, ...(asked ? [REQUESTS_EXCHANGE, FORMER_REQUESTS_EXCHANGE] : [])]),
  };
}

/** With which routing keys of the events' exchanges a role may publish (`write`) and bind its queue (`read`). */
function topicRightsOf(role: BrokerRole, services: readonly ServiceMessaging[]): (Omit<Rights, 'configure'> & { readonly exchange: string })[] {
  if (role.kind === 'administrator') return [];
  if (role.kind === 'checkout') return [{ exchange: EVENTS_EXCHANGE, write: CHECKOUT_TYPES, read: NOTHING }];
  const { service, says, hears, asks } = messagingOf(role.service, services);
  const originals = says.filter(({ passedOn }) => !passedOn).map(({ event }) => event.type);
  const copies = says.flatMap(({ event, copiesTo }) => copiesTo.map((to) => publicationOf(event.type, to).routingKey));
  const heard = hears.map((subscription) => publicationHeardBy(service, subscription));
  const readable = (from: string): string => exactly(heard.flatMap(({ exchange, routingKey }) => (exchange === from ? [routingKey] : [])));
  return [
    { exchange: EVENTS_EXCHANGE, write: exactly(originals), read: readable(EVENTS_EXCHANGE) },
    { exchange: COPIES_EXCHANGE, write: exactly(copies), read: readable(COPIES_EXCHANGE) },
    { exchange: REQUESTS_EXCHANGE, write: requestsTo(asks), read: exactly(isAsked(service, services) ? [`${service}.#`] : []) },
  ];
}

/** A regular expression that matches the names of requests to these services. */
function requestsTo(services: readonly ServiceName[]): string {
  return services.length === 0 ? NOTHING : `^(?:${services.join('|')})\\.`;
}

function messagingOf(service: ServiceName, services: readonly ServiceMessaging[]): ServiceMessaging {
  const messaging = services.find((candidate) => candidate.service === service);
  if (!messaging) throw new Error(`there is no service ${service} for a broker user to belong to`);
  return messaging;
}

/** A regular expression that matches these names and nothing else. */
function exactly(names: readonly string[]): string {
  if (names.length === 0) return NOTHING;
  return `^(?:${names.map((name) => name.replaceAll('.', '\\.')).join('|')})$`;
}

/**
 * A password as RabbitMQ stores it (`rabbit_password_hashing_sha256`): base64 of a 4-byte salt and the SHA-256 of salt
 * and password. This is RabbitMQ's format and no choice of ours: the password has to be long and random, as for all fast
 * hashes.
 */
export async function brokerPasswordHash(password: string, salt = crypto.getRandomValues(new Uint8Array(4))): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', Buffer.concat([salt, Buffer.from(password, 'utf8')]));
  return Buffer.concat([salt, Buffer.from(digest)]).toString('base64');
}

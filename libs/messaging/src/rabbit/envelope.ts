import type { ServiceName } from '@latchkey/contracts';
import type { Message, MessageProperties, Options } from 'amqplib';
import type { QuarantinedMessage, RawMessage, RetryPolicy, Verdict } from '../broker.js';
import { retryStepOf } from '../retry-step.js';
import { namesOf, RETRY_KEYS } from '../topology.js';

/** What a message carries about its own history while it is in a service's retry queues or quarantine. */
const ATTEMPT = 'latchkey-attempt';
const PUBLISHER = 'latchkey-publisher';
const EXCHANGE = 'latchkey-exchange';
const ROUTING_KEY = 'latchkey-routing-key';
const REASON = 'latchkey-reason';
const QUARANTINED_AT = 'latchkey-quarantined-at';

/**
 * Headers that a message must not take with it when it is published again. Ours are written anew. What the broker says
 * of dead-lettering has to begin anew, or it would take a second round of the ladder for a cycle. And the broker obeys
 * `CC` and `BCC`: a message with `CC: in` would come back at once, twice, with every retry.
 */
const notCarriedOn = /^(?:latchkey-|x-death$|x-(?:first|last)-death-|x-(?:delivery|acquired)-count$|CC$|BCC$)/;

/** The properties that a message keeps. Not its expiry: it could expire out of quarantine. */
const carriedProperties = ['contentType', 'contentEncoding', 'correlationId', 'messageId', 'timestamp', 'type', 'appId'] as const;

const REASON_LENGTH_MAX = 512;

/** Who is reading: which service's queue, as which broker user. */
export interface Reader {
  readonly service: ServiceName;
  readonly user: string;
  /** Whether `x-death` tells the truth. RabbitMQ 4 drops what a client sends under that name; 3 builds upon it. */
  readonly deathsAreTrue: boolean;
}

/** A message to be published, with its properties. */
export interface OutgoingMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Buffer;
  readonly properties: Options.Publish;
}

/** How a message first came to the service, however often it has been published again since. */
interface Origin {
  readonly exchange: string;
  readonly routingKey: string;
  readonly publisher: string | undefined;
  readonly attempt: number;
}

/**
 * A message of `<service>.in` as handlers see it. Exchange, routing key and publisher are those of its first publication,
 * so that whatever is checked on the first attempt is checked on every later one, and after a redrive.
 */
export function toRawMessage(message: Message, reader: Reader): RawMessage {
  return {
    body: message.content,
    contentType: textOf(message.properties.contentType),
    headers: headersOf(message.properties),
    ...originOf(message, reader),
    redelivered: message.fields.redelivered,
  };
}

/**
 * The history in our headers counts only when we wrote it: anybody can send a header. What came out of the service's own
 * retry exchange was written by somebody who may write there, which is the service itself. (What the broker put into
 * quarantine on its own account also came that way, with headers from anywhere: see `wroteHistory`.)
 */
function originOf(message: Message, reader: Reader): Origin {
  const { fields, properties } = message;
  const headers = headersOf(properties);
  const outside: Origin = { exchange: fields.exchange, routingKey: fields.routingKey, publisher: textOf(properties.userId), attempt: 1 };
  if (fields.exchange !== namesOf(reader.service).retryExchange) return outside;
  if (!wroteHistory(properties, reader)) return { ...outside, ...firstPublicationOf(properties, reader) };
  const attempt = Number(headers[ATTEMPT]);
  return {
    exchange: textOf(headers[EXCHANGE]) ?? fields.exchange,
    routingKey: textOf(headers[ROUTING_KEY]) ?? fields.routingKey,
    publisher: textOf(headers[PUBLISHER]),
    attempt: Number.isSafeInteger(attempt) && attempt >= 1 ? attempt : 1,
  };
}

/**
 * Whether we ourselves published this message to the retry exchange: it names our user, which the broker verified. Or it
 * was published there by somebody who may, an operator who redrives, and then the broker has not moved it since. What
 * the broker moved says so in `x-death`, which nobody can leave out; its headers are whatever its publisher wrote. That
 * is so for what it put into quarantine on its own account, and for what a service that answers requests, and so may
 * write to the default exchange, slipped into a rung of somebody else's ladder.
 */
function wroteHistory(properties: MessageProperties, { user }: Reader): boolean {
  return textOf(properties.userId) === user || deathsOf(properties).length === 0;
}

/**
 * Where a message was published that the broker itself moved into quarantine. Unknown (and so refused by whoever checks
 * it) where a publisher could have made `x-death` say anything.
 */
function firstPublicationOf(properties: MessageProperties, { deathsAreTrue }: Reader): Pick<Origin, 'exchange' | 'routingKey'> {
  const first = deathsAreTrue ? deathsOf(properties).at(-1) : undefined;
  const keys: unknown = first?.['routing-keys'];
  return { exchange: textOf(first?.['exchange']) ?? '', routingKey: (Array.isArray(keys) ? textOf(keys[0]) : undefined) ?? '' };
}

function deathsOf(properties: MessageProperties): readonly Record<string, unknown>[] {
  const deaths: unknown = properties.headers?.['x-death'];
  if (!Array.isArray(deaths)) return [];
  return deaths.filter((death): death is Record<string, unknown> => typeof death === 'object' && death !== null);
}

/** The message that carries out a verdict: to a rung of the ladder, or to quarantine. */
export function verdictMessage(message: Message, verdict: Extract<Verdict, { kind: 'retry' | 'quarantine' }>, reader: Reader, policy: RetryPolicy): OutgoingMessage {
  const origin = originOf(message, reader);
  const reason = verdict.reason.slice(0, REASON_LENGTH_MAX);
  const step = retryStepOf(origin.attempt, verdict, policy);
  if (step.to === 'dlq') {
    const history = { [REASON]: reason, [QUARANTINED_AT]: new Date().toISOString() };
    return republished(message, RETRY_KEYS.dlq, origin, reader, history);
  }
  return republished(message, step.rung.name, { ...origin, attempt: origin.attempt + 1 }, reader, { [REASON]: reason });
}

/** The same message at the end of `in`, or on a rung of the ladder. No attempt is counted: it waited for a part that is away. */
export function uncountedMessage(message: Message, routingKey: string, reader: Reader): OutgoingMessage {
  return republished(message, routingKey, originOf(message, reader), reader, {});
}

/** The message that brings one in quarantine back into the service's queue, as a first attempt. */
export function redrivenMessage(message: Message, reader: Reader): OutgoingMessage {
  return republished(message, RETRY_KEYS.in, { ...originOf(message, reader), attempt: 1 }, reader, {});
}

/** The same message, published again by us. The broker refuses another's `user_id`, so the publisher moves into a header. */
function republished(message: Message, routingKey: string, origin: Origin, reader: Reader, history: Record<string, string>): OutgoingMessage {
  const carried = Object.fromEntries(Object.entries(headersOf(message.properties)).filter(([name]) => !notCarriedOn.test(name)));
  const properties = Object.fromEntries(carriedProperties.map((name) => [name, message.properties[name] as unknown]));
  return {
    exchange: namesOf(reader.service).retryExchange,
    routingKey,
    body: message.content,
    properties: {
      ...properties,
      userId: reader.user,
      headers: {
        ...carried,
        [ATTEMPT]: origin.attempt,
        [PUBLISHER]: origin.publisher,
        [EXCHANGE]: origin.exchange,
        [ROUTING_KEY]: origin.routingKey,
        ...history,
      },
    },
  };
}

/** A message of `<service>.dlq` as it is shown; `id` is its event's id, or made from the body where it has none. */
export async function toQuarantined(message: Message, reader: Reader): Promise<QuarantinedMessage> {
  const { properties } = message;
  const headers = headersOf(properties);
  const origin = originOf(message, reader);
  const ours = wroteHistory(properties, reader);
  return {
    id: textOf(properties.messageId) ?? textOf(headers['cloudEvents_id']) ?? textOf(headers['cloudEvents:id']) ?? (await nameOf(message.content)),
    type: textOf(headers['cloudEvents_type']) ?? textOf(headers['cloudEvents:type']) ?? origin.routingKey,
    reason: reasonOf(properties, ours),
    attempt: origin.attempt,
    quarantinedAt: diedAt(properties) ?? (ours ? textOf(headers[QUARANTINED_AT]) : undefined),
  };
}

function diedAt(properties: MessageProperties): string | undefined {
  const time = deathsOf(properties)[0]?.['time'] as { value?: unknown } | undefined;
  return typeof time?.value === 'number' ? new Date(time.value * 1000).toISOString() : undefined;
}

function reasonOf(properties: MessageProperties, ours: boolean): string {
  const [death] = deathsOf(properties);
  if (death?.['reason'] === 'rejected') return 'the message is larger than any that is taken';
  if (death?.['reason'] === 'expired') return 'the message expired before it was handled';
  if (death) return 'the message was delivered too often without being handled';
  return (ours ? textOf(properties.headers?.[REASON]) : undefined) ?? 'nobody said why';
}

async function nameOf(body: Buffer): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new Uint8Array(body));
  return `body-${Buffer.from(digest).toString('hex').slice(0, 16)}`;
}

function headersOf(properties: MessageProperties): Record<string, unknown> {
  return properties.headers ?? {};
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

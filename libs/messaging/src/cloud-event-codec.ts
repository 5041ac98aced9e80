import { binaryModeHeaders, type CloudEvent, cloudEventAttributes, MESSAGE_BYTES_MAX } from '@latchkey/contracts';
import type { OutgoingEvent, RawMessage } from './broker.js';

/** An event as AMQP 0-9-1 carries it in CloudEvents binary mode. */
export interface EventMessage {
  readonly body: Buffer;
  readonly contentType: 'application/json';
  readonly headers: Readonly<Record<string, string>>;
  readonly messageId: string;
}

/**
 * Writes an event in binary mode. Throws a RangeError when the body is over 256 KiB: no consumer would take it.
 */
export function toMessage(event: OutgoingEvent): EventMessage {
  const { data, copyFor: _, ...attributes } = event;
  const body = Buffer.from(JSON.stringify(data));
  if (body.length > MESSAGE_BYTES_MAX) throw new RangeError(`an event of ${body.length} bytes is over the limit`);
  return { body, contentType: 'application/json', headers: binaryModeHeaders(attributes), messageId: event.id };
}

/** An event that could be read, or why it could not: a sentence without payload, fit for logs and quarantine. */
export type ReadEvent = { readonly ok: true; readonly event: CloudEvent } | { readonly ok: false; readonly reason: string };

/**
 * Reads a message in CloudEvents binary mode (headers `cloudEvents_…` or `cloudEvents:…`) or structured mode
 * (`application/cloudevents+json`), there with its data as JSON or as the base64 of JSON (CloudEvents JSON format §3.1).
 * Never throws.
 */
export function readMessage(message: RawMessage): ReadEvent {
  if (message.body.length > MESSAGE_BYTES_MAX) return unreadable('the body is over 256 KiB');
  const mediaType = (message.contentType ?? 'application/json').split(';', 1)[0]!.trim().toLowerCase();
  const json = parseJson(message.body, 'the body');
  if (!json.ok) return json;
  if (mediaType === 'application/cloudevents+json') return readStructured(json.value);
  if (mediaType !== 'application/json') return unreadable('the content type is neither JSON nor CloudEvents JSON');
  return readBinary(message.headers, json.value);
}

function readStructured(value: unknown): ReadEvent {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return unreadable('the event is not a JSON object');
  const { data, data_base64: base64, ...attributes } = value as Record<string, unknown>;
  if (base64 === undefined) return withAttributes(attributes, data);
  if (data !== undefined) return unreadable('the data stands twice');
  const { datacontenttype: mediaType = 'application/json' } = attributes;
  if (typeof mediaType !== 'string' || !jsonMediaType.test(mediaType)) return unreadable('the data is not JSON');
  const bytes = typeof base64 === 'string' ? Buffer.from(base64, 'base64') : undefined;
  // Buffer reads past what is no base64, so that two texts that differ would be one event.
  if (bytes?.toString('base64') !== base64) return unreadable('the data is not base64');
  const json = parseJson(bytes, 'the data');
  return json.ok ? withAttributes(attributes, json.value) : json;
}

const jsonMediaType = /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i;

function readBinary(headers: RawMessage['headers'], data: unknown): ReadEvent {
  const attributes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(headers)) {
    const match = /^cloudEvents[_:]([a-z0-9]{1,40})$/.exec(name);
    if (!match) continue;
    const attribute = match[1]!;
    // Two spellings of one attribute that differ would let two readers see two different events.
    if (attribute in attributes && attributes[attribute] !== value) return unreadable(`the attribute ${attribute} stands twice`);
    attributes[attribute] = value;
  }
  if (Object.keys(attributes).length === 0) return unreadable('there are no CloudEvents attributes');
  return withAttributes(attributes, data);
}

function withAttributes(attributes: Record<string, unknown>, data: unknown): ReadEvent {
  const parsed = cloudEventAttributes.safeParse(attributes);
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0] ?? 'event')))];
    return unreadable(`CloudEvents attributes missing or malformed: ${names.join(', ')}`);
  }
  return { ok: true, event: { ...parsed.data, data } };
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

function parseJson(body: Buffer, what: string): { ok: true; value: unknown } | { ok: false; reason: string } {
  try {
    return { ok: true, value: JSON.parse(utf8.decode(body)) };
  } catch {
    return unreadable(`${what} is not JSON in UTF-8`);
  }
}

function unreadable(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}

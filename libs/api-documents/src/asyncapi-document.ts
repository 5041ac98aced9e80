import { type EventContract, events } from '@latchkey/contracts';
import { stringify } from 'yaml';
import { JsonSchemas } from './json-schemas.js';
import { copiersOf, hearersOf, type MessagingGraph, publishersOf } from './messaging-graph.js';

type Json = Readonly<Record<string, unknown>>;

/** An AsyncAPI 3 document. */
export interface AsyncApiDocument {
  readonly asyncapi: '3.0.0';
  readonly info: Json;
  readonly defaultContentType: string;
  readonly channels: Readonly<Record<string, Json>>;
  readonly operations: Readonly<Record<string, Json>>;
  readonly components: Readonly<Record<string, Json>>;
}

/** The CloudEvents attributes as AMQP 0-9-1 headers, in the binary mode that Latchkey sends. */
const cloudEventHeaders = (event: EventContract): Json => ({
  type: 'object',
  properties: {
    cloudEvents_specversion: { type: 'string', const: '1.0' },
    cloudEvents_id: { type: 'string', maxLength: 256, description: 'With the source it names the event for ever' },
    cloudEvents_source: { type: 'string', maxLength: 256 },
    cloudEvents_type: { type: 'string', const: event.type },
    cloudEvents_time: { type: 'string', format: 'date-time' },
    cloudEvents_correlationid: { type: 'string', maxLength: 256 },
  },
  required: ['cloudEvents_specversion', 'cloudEvents_id', 'cloudEvents_source', 'cloudEvents_type'],
});

/**
 * The AsyncAPI document of every event, from the schemas that validate them and the services' own lists of what they
 * hear and say. A channel is a routing key: an event's type on the exchange of events, or that of one service's copy.
 */
export function asyncApiDocument(graph: MessagingGraph, list: readonly EventContract[] = events): AsyncApiDocument {
  const schemas = new JsonSchemas();
  const messages = Object.fromEntries(list.map((event) => [event.name, messageOf(event, schemas)]));
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Latchkey events',
      version: '1',
      description:
        'CloudEvents 1.0 over AMQP 0-9-1. Binary mode is shown here; the header prefix `cloudEvents:` and structured mode (`application/cloudevents+json`) are taken too. A checkout publishes `purchase.*` alone, for its own merchant, and sets `user_id`.',
    },
    defaultContentType: 'application/json',
    channels: channelsOf(list, graph),
    operations: operationsOf(list, graph),
    components: { messages, schemas: schemas.components },
  };
}

/** The same document as YAML, ending in a line feed. */
export function asyncApiYaml(graph: MessagingGraph): string {
  return stringify(asyncApiDocument(graph), { lineWidth: 0, aliasDuplicateObjects: false });
}

function messageOf(event: EventContract, schemas: JsonSchemas): Json {
  return {
    name: event.name,
    title: event.name,
    summary: event.description,
    contentType: 'application/json',
    headers: cloudEventHeaders(event),
    payload: schemas.of(event.schema),
    correlationId: { location: '$message.header#/cloudEvents_correlationid' },
    examples: [{ name: 'example', payload: event.example }],
  };
}

function channelsOf(list: readonly EventContract[], graph: MessagingGraph): Readonly<Record<string, Json>> {
  const channels: Record<string, Json> = {};
  for (const event of list) {
    channels[event.name] = channelOf(event, 'latchkey.events', event.type);
    for (const { service, by } of hearersOf(event, graph)) {
      if (by === 'copy') channels[copyOf(event, service)] = channelOf(event, 'latchkey.copies', `${service}.${event.type}`);
    }
  }
  return channels;
}

function copyOf(event: EventContract, service: string): string {
  return `${event.name}.copy.${service}`;
}

function channelOf(event: EventContract, exchange: string, address: string): Json {
  return {
    address,
    messages: { [event.name]: { $ref: `#/components/messages/${event.name}` } },
    bindings: { amqp: { is: 'routingKey', exchange: { name: exchange, type: 'topic', durable: true, autoDelete: false, vhost: '/' }, bindingVersion: '0.3.0' } },
  };
}

function operationsOf(list: readonly EventContract[], graph: MessagingGraph): Readonly<Record<string, Json>> {
  const operations: Record<string, Json> = {};
  for (const event of list) {
    const about = (channel: string): Json => ({ channel: { $ref: `#/channels/${channel}` }, messages: [{ $ref: `#/channels/${channel}/messages/${event.name}` }] });
    const sending = { bindings: { amqp: { deliveryMode: 2, mandatory: true, bindingVersion: '0.3.0' } } };
    for (const publisher of publishersOf(event, graph)) {
      operations[`${publisher}.says.${event.name}`] = { action: 'send', summary: `${publisher} says ${event.name}`, ...about(event.name), ...sending };
    }
    for (const { service, fields, by } of hearersOf(event, graph)) {
      const channel = by === 'copy' ? copyOf(event, service) : event.name;
      operations[`${service}.hears.${event.name}`] = { action: 'receive', summary: `${service} hears ${event.name} and uses ${fields.join(', ')}`, ...about(channel) };
      for (const copier of by === 'copy' ? copiersOf(event, service, graph) : []) {
        operations[`${copier}.copies.${event.name}.to.${service}`] = { action: 'send', summary: `${copier} sends ${service} its copy of ${event.name}`, ...about(channel), ...sending };
      }
    }
  }
  return operations;
}

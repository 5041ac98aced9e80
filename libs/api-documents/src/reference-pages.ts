import { errorCodes, type EventContract, events, type ErrorCode, type OperationContract, operations, statusesOf } from '@latchkey/contracts';
import type { z } from 'zod';
import { code, markdownPage, markdownTable } from './markdown.js';
import { hearersOf, type MessagingGraph, publishersOf } from './messaging-graph.js';
import { refusalsByStatus } from './refusals.js';

/** One environment variable, as the configuration page shows it. */
export interface DocumentedSetting {
  readonly variable: string;
  readonly description: string;
  readonly fallback?: string;
  readonly secret?: boolean;
}

/** The settings of one app. */
export interface DocumentedSettings {
  readonly app: string;
  readonly settings: readonly DocumentedSetting[];
}

/** The page of all events: who says and hears each, which fields are used by whom, and an example. */
export function eventsPage(graph: MessagingGraph): string {
  return markdownPage('Events', [
    'CloudEvents 1.0; the type is the routing key on the exchange `latchkey.events`. One service hears that publication; each further one gets a copy of its own on `latchkey.copies` under `<service>.<type>`, so that the broker returns whatever anybody would miss. Schemas are in `asyncapi.yaml`.',
    markdownTable(
      ['event', 'type', 'said by', 'heard by'],
      events.map((event) => [event.name, code(event.type), publishersOf(event, graph).join(', '), hearersOf(event, graph).map(({ service, by }) => (by === 'copy' ? `${service} (copy)` : service)).join(', ')]),
    ),
    ...events.flatMap((event: EventContract) => eventSection(event, graph)),
  ]);
}

function eventSection(event: EventContract, graph: MessagingGraph): string[] {
  const hearers = hearersOf(event, graph);
  return [
    `## ${event.name}`,
    event.description,
    markdownTable(
      ['field', 'always there', 'used by'],
      Object.entries(event.schema.shape as Readonly<Record<string, z.ZodType>>).map(([field, schema]) => [
        code(field),
        schema.safeParse(undefined).success ? 'no' : 'yes',
        hearers.filter(({ fields }) => fields.includes(field)).map(({ service }) => service).join(', '),
      ]),
    ),
    `\`\`\`json\n${JSON.stringify(event.example, null, 2)}\n\`\`\``,
  ];
}

/** The page of all error codes, and which calls answer with each. */
export function errorsPage(): string {
  const codes = Object.keys(errorCodes) as ErrorCode[];
  return markdownPage('Error codes', [
    'Every refusal is a problem document (RFC 9457) with one of these codes, but for the [ExpressPlay-shaped endpoints](expressplay.md), which have codes and forms of their own. A code is never given another meaning. “Retry” says whether the same request may succeed later.',
    markdownTable(
      ['code', 'status', 'meaning', 'retry', 'calls'],
      codes.map((each) => [code(each), statusesOf(each).join(', '), errorCodes[each].title, errorCodes[each].retryable ? 'yes' : 'no', callsRefusedWith(each)]),
    ),
  ]);
}

function callsRefusedWith(errorCode: ErrorCode): string {
  const all: readonly OperationContract[] = operations.operations;
  const calls = all.filter((operation) => [...refusalsByStatus(operation).values()].flat().includes(errorCode));
  if (calls.length === all.length) return 'every call';
  if (calls.length === 0) return 'what is none of the calls';
  const ofMerchants = all.filter(({ security }) => security.kind === 'api-key');
  if (calls.length === ofMerchants.length && calls.every((call) => ofMerchants.includes(call))) return 'every call with an API key';
  return calls.map(({ id }) => id).join(', ');
}

/** The page of every environment variable by app. */
export function configurationPage(apps: readonly DocumentedSettings[]): string {
  return markdownPage('Configuration', [
    'Configuration comes from the environment alone and is read once. A wrong or missing value stops the start, and every problem is listed at once. An empty variable counts as not set.',
    ...apps.flatMap(({ app, settings }) => [`## ${app}`, settingsTable(settings)]),
  ]);
}

function settingsTable(settings: readonly DocumentedSetting[]): string {
  return markdownTable(
    ['variable', 'default', 'what it is'],
    settings.map(({ variable, fallback, secret, description }) => [code(variable), shownDefault(fallback), secret ? `${description}. Secret.` : description]),
  );
}

function shownDefault(fallback: string | undefined): string {
  if (fallback === undefined) return 'none';
  return fallback === '' ? 'empty' : code(fallback);
}

// `npm run generate [-- --check]`: writes every file that is made from the contracts and from the services' own lists, or
// with `--check` changes nothing and fails, naming the files that are not what they would be.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { asyncApiYaml, configurationPage, type DocumentedSettings, errorsPage, eventsPage, expressPlayPage, type MessagingGraph, messagingGraphOf, openApiDocument } from '@latchkey/api-documents';
import { checkoutUserOf, type ServiceMessaging } from '@latchkey/contracts';
import { type BrokerUser, definitionsOf } from '@latchkey/messaging';
import { services as definitions, standaloneSettings } from '@latchkey/standalone';
import { schemaDumps } from './schema-dumps.js';

const root = dirname(dirname(import.meta.dirname));

/** The order in which the documents speak of the services. */
const order = ['gateway', 'cookie', 'device-registry', 'token-issuer', 'license-server'];
const services = [...definitions].sort((one, other) => order.indexOf(one.messaging.service) - order.indexOf(other.messaging.service));

function generated(): ReadonlyMap<string, string> {
  const messagings = services.map(({ messaging }) => messaging);
  const graph = messagingGraphOf(messagings);
  const settings: DocumentedSettings[] = [
    ...services.map((service) => ({ app: service.messaging.service, settings: Object.values(service.settings) })),
    { app: 'standalone', settings: Object.values(standaloneSettings) },
  ];
  return new Map([
    ['libs/api-documents/src/generated/messaging-graph.ts', graphSource(graph)],
    ['docs/reference/openapi.json', json(openApiDocument())],
    ['docs/reference/asyncapi.yaml', asyncApiYaml(graph)],
    ['docs/reference/events.md', eventsPage(graph)],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/expressplay.md', expressPlayPage()],
    ['docs/reference/config.md', configurationPage(settings)],
    ['deploy/rabbitmq/definitions.json', json(definitionsOf(messagings, { users: brokerUsers(messagings) }))],
  ]);
}

/** A user a service, one for the first merchant's checkout and one for operators, none with a password: whoever deploys sets them. */
function brokerUsers(messagings: readonly ServiceMessaging[]): BrokerUser[] {
  return [
    ...messagings.map(({ service }): BrokerUser => ({ name: service, role: { kind: 'service', service } })),
    { name: checkoutUserOf('default'), role: { kind: 'checkout' } },
    { name: 'operator', role: { kind: 'administrator' } },
  ];
}

/** The served AsyncAPI document is made from this at run time: the gateway cannot import the other services. */
function graphSource(graph: MessagingGraph): string {
  const entries = graph.map(
    ({ service, hears, says, asks }) => `  {
    service: ${quoted(service)},
    hears: [${hears.map(({ event, fields, by }) => `\n      { event: ${quoted(event)}, by: ${quoted(by)}, fields: [${fields.map(quoted).join(', ')}] },`).join('')}${hears.length > 0 ? '\n    ' : ''}],
    says: [${says.map(({ event, copiesTo, passedOn }) => `\n      { event: ${quoted(event)}, copiesTo: [${copiesTo.map(quoted).join(', ')}], passedOn: ${passedOn} },`).join('')}${says.length > 0 ? '\n    ' : ''}],
    asks: [${asks.map(quoted).join(', ')}],
  },`,
  );
  return `import type { MessagingGraph } from '../messaging-graph.js';

/** Made by \`npm run generate\` from every service's subscriptions.ts; a check fails when it drifts. Do not edit. */
export const messagingGraph: MessagingGraph = [
${entries.join('\n')}
];
`;
}

function quoted(text: string): string {
  return `'${text}'`;
}

function json(document: unknown): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}

function present(path: string): string | undefined {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

const checking = process.argv.includes('--check');
const all = [...generated(), ...(await schemaDumps(services))];
const drifted = all.filter(([path, text]) => present(path) !== text);
for (const [path, text] of drifted) {
  process.stdout.write(`${checking ? 'has drifted' : 'written'}: ${path}\n`);
  if (checking) continue;
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}
if (checking && drifted.length > 0) {
  process.stdout.write('Run `npm run generate` and commit what it writes.\n');
  process.exitCode = 1;
}

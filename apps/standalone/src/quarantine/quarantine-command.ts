import type { ServiceName } from '@latchkey/contracts';
import type { Broker } from '@latchkey/messaging';

/** The services that consume events, and so have a quarantine. */
export const consumers: readonly ServiceName[] = ['cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway'];

const LIST_MAX = 1000;

/** How the command is used, for whoever types nonsense. */
export const usage = `usage:
  npm run quarantine -- list [service]              what was put aside, and why
  npm run quarantine -- redrive <service> [id …]    put it back into the service's queue: all of it, or these ids
services: ${consumers.join(', ')}
It works on RabbitMQ where AMQP_URL is set, else on the standalone that runs on LATCHKEY_DATA_DIR.
`;

/** What was typed, understood. */
export type QuarantineCommand =
  | { readonly kind: 'list'; readonly services: readonly ServiceName[] }
  | { readonly kind: 'redrive'; readonly service: ServiceName; readonly ids: readonly string[] };

/** Understands the arguments, or returns undefined where they make no sense. */
export function readCommand(args: readonly string[]): QuarantineCommand | undefined {
  const [verb, name, ...ids] = args;
  const service = consumers.find((consumer) => consumer === name);
  if (name !== undefined && service === undefined) return undefined;
  if (verb === 'list' && ids.length === 0) return { kind: 'list', services: service === undefined ? consumers : [service] };
  if (verb === 'redrive' && service !== undefined) return { kind: 'redrive', service, ids };
  return undefined;
}

/** Carries the command out; resolves to what it prints, as JSON. */
export async function carryOut(command: QuarantineCommand, broker: Broker): Promise<unknown> {
  if (command.kind === 'redrive') {
    const redriven = await broker.redrive(command.service, command.ids.length === 0 ? undefined : command.ids);
    return { service: command.service, redriven };
  }
  const lists = await Promise.all(
    command.services.map(async (service) => (await broker.quarantined(service, LIST_MAX)).map((message) => ({ service, ...message }))),
  );
  return { quarantined: lists.flat() };
}

import type { ClientBase, Pool, PoolClient } from 'pg';
import { currentParticipant, type Participant } from './participant.js';

/** Puts another statement in the place of one: a negative control takes a lock or a condition out with it. */
export type Rewrite = (sql: string, participant: string) => string;

/** A TypeORM data source, as far as the gate needs it. */
export interface PooledSource {
  readonly driver: unknown;
}

interface GatedClient extends PoolClient {
  processID?: number;
  interleavingGate?: true;
}

type Callback = (error: Error | undefined, result?: unknown) => void;

let rewrite: Rewrite = (sql) => sql;

/** Has every statement of participants rewritten until the next call. */
export function setRewrite(next: Rewrite = (sql) => sql): void {
  rewrite = next;
}

/**
 * Puts a gate into every connection of a data source, for as long as it is open. A statement that a participant causes
 * waits there for the scheduler; all others pass as ever.
 */
export function gateConnections(source: PooledSource): void {
  const pool = (source.driver as { master: Pool }).master;
  pool.on('acquire', (client) => gateClient(client as GatedClient));
}

function gateClient(client: GatedClient): void {
  if (client.interleavingGate) return;
  client.interleavingGate = true;
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    const participant = currentParticipant();
    const config = args[0];
    const isText = typeof config === 'string';
    if (!participant || !(isText || isConfig(config))) return query(...args);
    const sql = rewrite(isText ? config : config.text, participant.name);
    const rewritten = [isText ? sql : { ...config, text: sql }, ...args.slice(1)];
    return passGate(participant, { sql, pid: client.processID ?? 0 }, query, rewritten);
  }) as ClientBase['query'];
}

function passGate(
  participant: Participant,
  statement: { readonly sql: string; readonly pid: number },
  query: (...args: unknown[]) => unknown,
  args: unknown[],
): unknown {
  const callback = args.at(-1);
  const send = async (): Promise<unknown> => {
    const answered = await participant.arrive(statement);
    try {
      return await query(...(typeof callback === 'function' ? args.slice(0, -1) : args));
    } finally {
      answered();
    }
  };
  if (typeof callback !== 'function') return send();
  const done = callback as Callback;
  send().then(
    (result) => done(undefined, result),
    (error: Error) => done(error),
  );
  return undefined;
}

/** Prepared statements come as objects with a text; cursors and streams have none and pass. */
function isConfig(config: unknown): config is { text: string } {
  return (
    typeof config === 'object' &&
    config !== null &&
    typeof (config as { text?: unknown }).text === 'string' &&
    !('submit' in config)
  );
}

import type { ServiceName } from '@latchkey/contracts';
import { type DataDirectoryLock, startEmbeddedPostgres } from '@latchkey/embedded-postgres';
import { Client, escapeIdentifier } from 'pg';

/** Who has a database of its own in standalone: every service, and the bus. */
export type DatabaseOwner = ServiceName | 'bus';

const owners: readonly DatabaseOwner[] = ['cookie', 'device-registry', 'token-issuer', 'license-server', 'gateway', 'bus'];
const nameOf = (owner: DatabaseOwner): string => `latchkey_${owner.replaceAll('-', '_')}`;

/** The databases of a standalone. */
export interface Databases {
  /** The connection string of one of them: a secret. */
  url(owner: DatabaseOwner): string;
  stop(): Promise<void>;
}

/** Starts the embedded PostgreSQL, or uses the server given, and makes a database for each service. */
export async function openDatabases(lock: DataDirectoryLock, serverUrl: string | undefined, say: (line: string) => void): Promise<Databases> {
  if (serverUrl === undefined) {
    const server = await startEmbeddedPostgres({ dataDir: lock.dataDir, databases: owners.map(nameOf), lock, log: say });
    return { url: (owner) => server.url(nameOf(owner)), stop: () => server.stop() };
  }
  await createMissing(serverUrl);
  return { url: (owner) => withDatabase(serverUrl, nameOf(owner)), stop: async () => undefined };
}

async function createMissing(serverUrl: string): Promise<void> {
  const client = new Client({ connectionString: serverUrl, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    const { rows } = await client.query<{ datname: string }>('select datname from pg_database');
    const present = new Set(rows.map((row) => row.datname));
    for (const name of owners.map(nameOf)) if (!present.has(name)) await client.query(`create database ${escapeIdentifier(name)}`);
  } finally {
    await client.end();
  }
}

function withDatabase(serverUrl: string, name: string): string {
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  return url.href;
}

import { Client } from 'pg';

/** One statement on a connection of its own. */
export async function query<Row extends object>(connectionString: string, statement: string): Promise<Row[]> {
  const client = new Client({ connectionString });
  // A server that ends the session between two statements tells it by this event, which is fatal where nobody listens.
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

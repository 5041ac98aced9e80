import { startEmbeddedPostgres } from '../src/index.js';

/** `hold-postgres.ts <data directory>`: starts a server, prints the address of its database `kept`, and stays. */
const dataDir = process.argv[2];
if (!dataDir) throw new Error('usage: hold-postgres.ts <data directory>');
const server = await startEmbeddedPostgres({ dataDir, databases: ['kept'] });
process.stdout.write(`${server.url('kept')}\n`);
// Nothing else keeps the process alive: the database server is none of its children.
const staying = setInterval(() => undefined, 60_000);
process.once('SIGTERM', () => {
  clearInterval(staying);
  void server.stop();
});

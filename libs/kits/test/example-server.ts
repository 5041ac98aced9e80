import { createServer } from 'node:http';

/** `example-server.ts <port>`: answers 200, prints its environment's GREETING, and ends with code 3 on SIGTERM. */
const server = createServer((_request, response) => response.end('ok'));
server.listen(Number(process.argv[2]), '127.0.0.1', () => process.stdout.write(`${process.env['GREETING']}\n`));
process.once('SIGTERM', () => process.exit(3));

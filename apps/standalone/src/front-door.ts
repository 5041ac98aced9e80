import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { drainConnections } from '@latchkey/service-defaults';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/** The one port of standalone, behind which the gateway and the licence server stand. */
export interface FrontDoor {
  /** `http://host:port` as a client on this machine reaches it. */
  readonly origin: string;
  /** Lets requests in; until then they are answered with 503. */
  open(route: (path: string) => Handler): void;
  /** Takes no new connections and resolves when the last one has ended. */
  close(): Promise<void>;
}

/** Takes the port at once, so that an occupied one is known before anything else starts. */
export async function openFrontDoor(host: string, port: number): Promise<FrontDoor> {
  let route: ((path: string) => Handler) | undefined;
  const server = createServer({ requestTimeout: 15_000, headersTimeout: 15_000 }, (request, response) => {
    if (route) route((request.url ?? '/').split('?', 1)[0]!)(request, response);
    else refuse(response);
  });
  const drain = drainConnections(server);
  await listen(server, host, port);
  return {
    origin: originOf(host, (server.address() as AddressInfo).port),
    open: (given) => {
      route = given;
    },
    close: () => {
      drain();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      return closed;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function refuse(response: ServerResponse): void {
  response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1', connection: 'close' });
  response.end(JSON.stringify({ type: 'urn:latchkey:problem:unavailable', title: 'Latchkey is starting', status: 503, code: 'unavailable' }));
}

/** An address that means every interface is reached on this machine by its loopback address. */
function originOf(host: string, port: number): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

import { AsyncLocalStorage } from 'node:async_hooks';
import type { ServiceName } from '@latchkey/contracts';
import {
  type IncomingRequest,
  type OutgoingRequest,
  type RequestHandler,
  RequestTimeout,
  RequestUnroutable,
  type Running,
} from '../broker.js';

/** One service's promise to answer requests, with those that it is answering. */
interface Server {
  readonly answer: (request: IncomingRequest) => Promise<Buffer>;
  readonly underWay: Set<Promise<unknown>>;
}

/** Carries requests between services of one process, as bytes, so that what would not survive the wire fails here too. */
export class RequestDesk {
  private readonly servers = new Map<ServiceName, Server[]>();

  /** `onFailure` is told when a handler rejects; the asker then hears nothing, as over a broker. */
  constructor(private readonly onFailure: (service: ServiceName, name: string, error: unknown) => void) {}

  serve(service: ServiceName, handler: RequestHandler): Running {
    // The handler runs in the context in which it began to serve. In the asker's it would find the asker's transaction
    // and correlation id, which no other bus hands over.
    const inOwnContext = AsyncLocalStorage.snapshot();
    const server: Server = { answer: (request) => inOwnContext(async () => handler(request)), underWay: new Set() };
    this.servers.set(service, [...(this.servers.get(service) ?? []), server]);
    return {
      stop: async () => {
        this.servers.set(service, (this.servers.get(service) ?? []).filter((other) => other !== server));
        await Promise.all(server.underWay);
      },
    };
  }

  async request(service: ServiceName, { name, body, correlationId, timeoutMs }: OutgoingRequest): Promise<Buffer> {
    const server = this.nextServer(service);
    if (!server) throw new RequestUnroutable(`nobody answers requests to ${service}`);
    const incoming = { name, body: Buffer.from(body), correlationId, deadlineMs: Date.now() + timeoutMs };
    return new Promise<Buffer>((resolve, reject) => {
      const timer = setTimeout(() => reject(new RequestTimeout(`${service} did not answer ${name} in ${timeoutMs} ms`)), timeoutMs);
      const underWay = this.answer(server, incoming).then(
        (answer) => {
          if (!answer) return;
          clearTimeout(timer);
          resolve(Buffer.from(answer));
        },
        (error: unknown) => this.onFailure(service, name, error),
      );
      server.underWay.add(underWay);
      void underWay.finally(() => server.underWay.delete(underWay));
    });
  }

  /** The answer, or undefined where the request came too late to be looked at. */
  private async answer(server: Server, incoming: IncomingRequest): Promise<Buffer | undefined> {
    // Not on the asker's stack, as over a broker: what the asker does after asking happens before the handler begins.
    await new Promise((resolve) => setImmediate(resolve));
    return Date.now() < incoming.deadlineMs ? server.answer(incoming) : undefined;
  }

  /** Servers of one service take turns. */
  private nextServer(service: ServiceName): Server | undefined {
    const [first, ...others] = this.servers.get(service) ?? [];
    if (first) this.servers.set(service, [...others, first]);
    return first;
  }
}

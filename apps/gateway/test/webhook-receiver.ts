import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Webhook } from 'standardwebhooks';

/** A message as it came. */
export interface ReceivedMessage {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What a receiver does with a message, after it was noted. */
export type Answering = (response: ServerResponse, message: ReceivedMessage) => void;

/** Answers with a status, and headers. */
export const answering =
  (status: number, headers: Record<string, string> = {}): Answering =>
  (response) =>
    void response.writeHead(status, headers).end();

/** A merchant's receiver of webhooks: a real HTTP server, which checks as the scheme's own library does. */
export class WebhookReceiver {
  readonly received: ReceivedMessage[] = [];
  answer: Answering = answering(204);
  concurrentMax = 0;
  private concurrent = 0;

  private constructor(private readonly server: Server) {
    server.on('request', (request: IncomingMessage, response: ServerResponse) => void this.take(request, response));
  }

  /** Starts one on a free port of this machine. */
  static async start(): Promise<WebhookReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WebhookReceiver(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/hook?merchant=secret`;
  }

  /** The data of every message, in the order in which they came. */
  all(field: string): unknown[] {
    return this.received.map(({ body }) => (JSON.parse(body) as { data: Record<string, unknown> }).data[field]);
  }

  /** The ids under which messages came. */
  get ids(): unknown[] {
    return this.received.map(({ headers }) => headers['webhook-id']);
  }

  /** Hangs up on whoever is there, and listens no more. */
  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.concurrent += 1;
    this.concurrentMax = Math.max(this.concurrentMax, this.concurrent);
    response.once('close', () => (this.concurrent -= 1));
    const message = { method: request.method!, path: request.url!, headers: request.headers, body: await text(request) };
    this.received.push(message);
    this.answer(response, message);
  }
}

/** What a receiver that knows this secret reads; throws a `WebhookVerificationError` where it is not ours. */
export function verified(secret: string, { body, headers }: ReceivedMessage): unknown {
  return new Webhook(secret).verify(body, headers as Record<string, string>);
}

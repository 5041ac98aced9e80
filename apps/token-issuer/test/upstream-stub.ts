import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a licence service was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly form: URLSearchParams;
}

type Answering = (asked: Asked, response: ServerResponse) => void | Promise<void>;

/** A licence service that answers as public documents show it, or as a test has it. */
export class UpstreamStub {
  readonly asked: Asked[] = [];
  /** Tokens that it gave out, in their order. */
  readonly given: string[] = [];
  /** Devices by cookie, as they redeemed tokens. */
  readonly devices = new Map<string, string>();
  answering: Answering = (asked, response) => this.answer(asked, response);
  private counter = 0;

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {
    server.on('request', (request, response) => void this.serve(request, response));
  }

  static async start(): Promise<UpstreamStub> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new UpstreamStub(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Requests for tokens of one cookie. */
  tokensAskedFor(cookie: string): Asked[] {
    return this.asked.filter(({ path, form }) => path.endsWith('/token') && form.get('cookie') === cookie);
  }

  answer({ path, query }: Asked, response: ServerResponse): void {
    if (path === '/cmiapi/getrecord/') return this.answerRecord(query.get('cookie')!, response);
    this.counter += 1;
    const token = `AQAAAB${this.counter}upstream-token`;
    this.given.push(token);
    if (path === '/hms/pr/token') {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ licenseAcquisitionUrl: 'https://licensing.example/LicensingService.ashx', token }));
    } else {
      response.setHeader('content-type', 'text/uri-list');
      response.end(`https://rights.example${path.replace('/token', '/rights/')}?ExpressPlayToken=${token}\r\n`);
    }
  }

  /** Has it refuse with a code, as JSON. */
  refuse(status: number, code: number): void {
    this.answering = (_, response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errorCode: code, errorMessage: 'no' }));
    };
  }

  /** Has it break every connection off. */
  breakOff(): void {
    this.answering = (_, response) => void response.destroy();
  }

  /** Has it answer as it should. */
  recover(): void {
    this.answering = (asked, response) => this.answer(asked, response);
  }

  private answerRecord(cookie: string, response: ServerResponse): void {
    const deviceId = this.devices.get(cookie);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(deviceId === undefined ? [] : [{ event_id: 4711, cookie, deviceId }]));
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { pathname, searchParams } = new URL(request.url!, this.origin);
    const asked = { method: request.method!, path: pathname, query: searchParams, form: new URLSearchParams(Buffer.concat(chunks).toString()) };
    this.asked.push(asked);
    await this.answering(asked, response);
  }
}

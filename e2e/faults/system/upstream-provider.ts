import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

const TOKEN_PATH = '/hms/pr/token';

/** A licence service with ExpressPlay's interface, from which the tokens of one merchant come. */
export class UpstreamProvider {
  private readonly devices = new Map<string, string>();
  private given = 0;
  private isAway = false;

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => void this.answer(request, response).catch(() => response.destroy()));
  }

  static async start(): Promise<UpstreamProvider> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new UpstreamProvider(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  /** How many tokens it gave out. */
  get tokens(): number {
    return this.given;
  }

  /** A device redeems a registration token of this cookie. */
  redeem(cookie: string, deviceId: string): void {
    if (!this.devices.has(cookie)) this.devices.set(cookie, deviceId);
  }

  /** Breaks every connection off while it is away. */
  away(isAway: boolean): void {
    this.isAway = isAway;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url!, this.origin);
    for await (const chunk of request) void chunk;
    if (this.isAway) {
      response.destroy();
      return;
    }
    response.setHeader('content-type', 'application/json');
    if (pathname === TOKEN_PATH) {
      this.given += 1;
      const token = `AQAAAB${this.given}-${crypto.randomUUID()}`;
      response.end(JSON.stringify({ licenseAcquisitionUrl: 'https://licensing.example/', token }));
      return;
    }
    const cookie = searchParams.get('cookie') ?? '';
    const deviceId = this.devices.get(cookie);
    response.end(JSON.stringify(deviceId === undefined ? [] : [{ event_id: 1, cookie, deviceId }]));
  }
}

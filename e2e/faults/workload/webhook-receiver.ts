import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Receipt } from '../final-state.js';
import { nowMs } from '../history.js';

/** A merchant's back end that takes every webhook delivery and notes it. */
export class WebhookReceiver {
  readonly received: Receipt[] = [];

  private constructor(private readonly server: Server) {
    server.on('request', (request, response) => {
      this.received.push({ deliveryId: String(request.headers['webhook-id']), atMs: nowMs() });
      request.resume();
      response.writeHead(204).end();
    });
  }

  static async start(): Promise<WebhookReceiver> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new WebhookReceiver(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

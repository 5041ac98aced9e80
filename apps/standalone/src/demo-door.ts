import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DemoShop, DemoShopParts } from '@latchkey/demo-shop';

/** The way to the demo shop, which is not there before somebody asks for it: a start must not wait for a page. */
export class DemoDoor {
  private shop: Promise<DemoShop> | undefined;

  constructor(private readonly parts: DemoShopParts) {}

  /** Serves a request below `/demo`, the first one after the shop has opened. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    this.shop ??= import('@latchkey/demo-shop').then(({ createDemoShop }) => createDemoShop(this.parts));
    this.shop.then(
      (shop) => shop.handle(request, response),
      (error: unknown) => {
        // The next one who comes tries again.
        this.shop = undefined;
        this.parts.onFault(error);
        response.writeHead(503, { 'content-type': 'application/problem+json', 'retry-after': '1' });
        response.end(JSON.stringify({ type: 'urn:latchkey:problem:unavailable', title: 'The demo shop did not open', status: 503, code: 'unavailable' }));
      },
    );
  }

  /** Closes the shop, where it was opened. */
  async stop(): Promise<void> {
    await (await this.shop?.catch(() => undefined))?.stop();
  }
}

/** Whether the path is the shop's. */
export function isDemoPath(path: string): boolean {
  return path === '/demo' || path.startsWith('/demo/');
}

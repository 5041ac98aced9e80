import { operations, requests, type RequestOutput } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Operation } from '@latchkey/service-defaults';
import { Controller, Header } from '@nestjs/common';
import { JwksCache } from './jwks-cache.js';

type Jwks = RequestOutput<typeof requests.getJwks>;

/** Short: a key that is published must be seen here by the time that it signs. */
const FRESH_MS = 5_000;
const ASK_TIMEOUT_MS = 2_000;

/** The public halves of the signing keys, for whoever verifies tokens on their own. */
@Controller()
export class JwksController {
  private readonly cache: JwksCache<Jwks>;

  constructor(requestsToServices: Requests) {
    this.cache = new JwksCache(() => requestsToServices.ask(requests.getJwks, {}, ASK_TIMEOUT_MS), FRESH_MS, () => performance.now());
  }

  @Operation(operations.showJwks)
  @Header('cache-control', 'public, max-age=5')
  async show(): Promise<Jwks> {
    return this.cache.get();
  }
}

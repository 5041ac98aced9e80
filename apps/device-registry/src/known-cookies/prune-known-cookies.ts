import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { KnownCookieStore } from './known-cookie-store.js';

const INTERVAL_MS = 3_600_000;

/** Forgets expired cookies: few ask for them any more, and those few questions go to the cookie service, which knows. */
@Injectable()
export class PruneKnownCookies implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly periodic: Periodic;

  constructor(knownCookies: KnownCookieStore, logger: Logger) {
    this.periodic = new Periodic('prune-known-cookies', INTERVAL_MS, (stopping) => knownCookies.prune(stopping), logger);
  }

  /** Starts the job. */
  onApplicationBootstrap(): void {
    this.periodic.start();
  }

  /** Lets the job end. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.periodic.stop();
  }
}

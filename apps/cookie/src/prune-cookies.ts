import { CONFIGURATION, Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { CookieConfiguration } from './config.js';
import { CookieStore } from './cookie-store.js';

const INTERVAL_MS = 3_600_000;
const BATCH_MAX = 1_000;

/**
 * Forgets cookies that expired without a device long ago, so that abandoned checkouts do not fill the disk. Bound ones
 * are kept for good: purchases may be made with them years later.
 */
@Injectable()
export class PruneCookies implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly periodic: Periodic;

  constructor(
    private readonly store: CookieStore,
    @Inject(CONFIGURATION) private readonly configuration: CookieConfiguration,
    logger: Logger,
  ) {
    this.periodic = new Periodic('prune-cookies', INTERVAL_MS, (stopping) => this.prune(stopping), logger);
  }

  /** Starts the job. */
  onApplicationBootstrap(): void {
    this.periodic.start();
  }

  /** Lets the job end. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.periodic.stop();
  }

  /** In small bites: one statement over millions of rows would hold its locks against events for minutes. */
  private async prune(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted && (await this.store.prune(this.configuration.retentionDays, BATCH_MAX)) === BATCH_MAX);
  }
}

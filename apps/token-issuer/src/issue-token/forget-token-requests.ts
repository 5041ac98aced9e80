import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Reader } from '../rows.js';
import { forgetOldTokenRequests } from '../token-request-store.js';

const INTERVAL_MS = 3_600_000;

/** Removes idempotency keys whose day is over. */
@Injectable()
export class ForgetTokenRequests implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly job: Periodic;

  constructor(reader: Reader, logger: Logger) {
    this.job = new Periodic('forget-token-requests', INTERVAL_MS, () => forgetOldTokenRequests(reader), logger);
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
  }
}

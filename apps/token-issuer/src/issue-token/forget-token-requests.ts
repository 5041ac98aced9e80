import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Reader } from '../rows.js';
import { forgetOldTokenRequests } from '../token-request-store.js';

const INTERVAL_MS = 3_600_000;
const BITE = 1_000;

/** Removes idempotency keys whose day is over, in bites: one statement over a busy week's would outlast the statement timeout every time. */
@Injectable()
export class ForgetTokenRequests implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly job: Periodic;

  constructor(
    private readonly reader: Reader,
    logger: Logger,
  ) {
    this.job = new Periodic('forget-token-requests', INTERVAL_MS, () => this.forget(), logger);
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
  }

  private async forget(): Promise<void> {
    while ((await forgetOldTokenRequests(this.reader, BITE)) === BITE);
  }
}

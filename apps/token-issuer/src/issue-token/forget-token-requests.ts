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
  private stopping = false;

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
    // Else a backlog of old rows would outlast the time that a stop may take.
    this.stopping = true;
    await this.job.stop();
  }

  private async forget(): Promise<void> {
    while (!this.stopping && (await forgetOldTokenRequests(this.reader, BITE)) === BITE);
  }
}

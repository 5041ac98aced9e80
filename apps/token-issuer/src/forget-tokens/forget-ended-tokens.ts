import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Reader } from '../rows.js';
import { forgetEndedTokens } from '../token-store.js';

const INTERVAL_MS = 3_600_000;
const BITE = 1_000;

/**
 * Removes tokens that ended long ago, in bites: each holds up to 6 KiB and every renewal leaves one behind, so that without
 * this the table grows with every day that somebody watches.
 */
@Injectable()
export class ForgetEndedTokens implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly job: Periodic;
  private stopping = false;

  constructor(
    private readonly reader: Reader,
    logger: Logger,
  ) {
    this.job = new Periodic('forget-ended-tokens', INTERVAL_MS, () => this.forget(), logger);
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
    while (!this.stopping && (await forgetEndedTokens(this.reader, BITE)) === BITE);
  }
}

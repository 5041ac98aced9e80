import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Reader } from '../rows.js';
import { forgetExpiredStoredKeys } from './stored-key-store.js';

const INTERVAL_MS = 3_600_000;
const BITE = 1_000;

/** Removes keys whose merchants gave them a time that is over, in bites. Nobody was shown them since it was. */
@Injectable()
export class ForgetStoredKeys implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly job: Periodic;

  constructor(
    private readonly reader: Reader,
    logger: Logger,
  ) {
    this.job = new Periodic('forget-stored-keys', INTERVAL_MS, () => this.forget(), logger);
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
  }

  private async forget(): Promise<void> {
    while ((await forgetExpiredStoredKeys(this.reader, BITE)) === BITE);
  }
}

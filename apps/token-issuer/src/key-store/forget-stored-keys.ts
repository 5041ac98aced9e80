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
  private stopping = false;

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
    // Else a backlog of old rows would outlast the time that a stop may take.
    this.stopping = true;
    await this.job.stop();
  }

  private async forget(): Promise<void> {
    while (!this.stopping && (await forgetExpiredStoredKeys(this.reader, BITE)) === BITE);
  }
}

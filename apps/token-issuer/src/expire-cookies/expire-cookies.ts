import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { CookieAuthorities } from '../cookie-authorities.js';
import { EXPIRY_GRACE_MS } from '../purchase.js';
import { findOverdueCookies } from '../purchase-store.js';
import { SettleWaiting } from '../register-device/settle-waiting.js';
import { Reader } from '../rows.js';

const INTERVAL_MS = 500;
const COOKIES_MAX = 200;

/**
 * Rejects purchases whose cookie's time is over. The registry is asked once more before that: a device that was bound in
 * time, and not heard of yet, gets its token instead.
 */
@Injectable()
export class ExpireCookies implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly job: Periodic;

  constructor(
    private readonly reader: Reader,
    private readonly authorities: CookieAuthorities,
    private readonly waiting: SettleWaiting,
    logger: Logger,
  ) {
    this.job = new Periodic('expire-cookies', INTERVAL_MS, (stopping) => this.sweep(stopping), logger);
  }

  onApplicationBootstrap(): void {
    this.job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.job.stop();
  }

  private async sweep(stopping: AbortSignal): Promise<void> {
    while (!stopping.aborted) {
      const cookies = await findOverdueCookies(this.reader, EXPIRY_GRACE_MS, COOKIES_MAX);
      if (cookies.length > 0) await this.waiting.settleNow(await this.authorities.learnBindings(cookies));
      if (cookies.length < COOKIES_MAX) return;
    }
  }
}

import { requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Logger, WokenJob } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { LeasedRow } from './leased-rows.js';
import type { UpstreamAccount } from './upstream-account.js';
import { UpstreamRegistrations } from './upstream-registrations.js';
import { failureOf, recordWaitSecondsAfter, waitSecondsAfter } from './upstream-retry.js';
import { Upstreams } from './upstreams.js';

const POLL_MS = 1_000;
const AT_ONCE = 8;
const LEASE_MARGIN_SECONDS = 20;

/**
 * Asks providers which devices redeemed the tokens of cookies, and has the registry bind them. From there everything goes
 * its usual way: `DeviceRegistered` is heard, and purchases that waited are settled.
 */
@Injectable()
export class AskRecords implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly jobs: readonly WokenJob[];

  constructor(
    upstreams: Upstreams,
    private readonly registrations: UpstreamRegistrations,
    private readonly requests: Requests,
    private readonly logger: Logger,
  ) {
    this.jobs = upstreams.all.map((account) => new WokenJob('ask-upstream-records', POLL_MS, () => this.work(account), logger));
    registrations.onHastened(() => this.jobs.forEach((job) => job.wake()));
  }

  onApplicationBootstrap(): void {
    for (const job of this.jobs) job.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await Promise.all(this.jobs.map((job) => job.stop()));
  }

  private async work(account: UpstreamAccount): Promise<void> {
    const { merchantId, timeoutMs } = account.provider;
    for (;;) {
      const claimed = await this.registrations.claim(merchantId, { limit: AT_ONCE, leaseSeconds: timeoutMs / 1000 + LEASE_MARGIN_SECONDS });
      await Promise.all(
        // The lease ends by itself, and the cookie is asked for again.
        claimed.map((cookie) => this.look(account, cookie).catch((error: unknown) => this.logger.warn('a record was not looked after', { merchantId }, error))),
      );
      if (claimed.length < AT_ONCE) return;
    }
  }

  /**
   * Asked until there is a device, or can be none any more: when the token has expired and its record has had time to appear.
   * A provider that does not answer is asked until the cookie expires, after which the registry binds nothing to it.
   */
  private async look(account: UpstreamAccount, row: LeasedRow): Promise<void> {
    const registration = await this.registrations.find(row);
    if (!registration) return;
    const answer = await account.record(row.id);
    if (answer.kind === 'device') return this.bind(row, registration, answer.deviceId);
    const over = registration.cookieOver || (registration.tokenOver && answer.kind !== 'unavailable');
    if (over) return this.registrations.forget(row);
    if (answer.kind === 'none') return this.registrations.postpone(row, { waitSeconds: recordWaitSecondsAfter(row.attempt, Math.random()), failure: undefined });
    const failure = failureOf(answer);
    this.logger.info('a provider gave no record', { merchantId: row.merchantId, failure });
    await this.registrations.postpone(row, { waitSeconds: waitSecondsAfter(row.attempt, answer, Math.random()), failure });
  }

  private async bind({ merchantId, id: cookie, ...lease }: LeasedRow, { accountId, cookieExpiresAt }: { accountId: string; cookieExpiresAt: Date }, deviceId: string): Promise<void> {
    const device = { evidence: 'asserted' as const, deviceId };
    const { outcome } = await this.requests.ask(requests.bindDevice, { merchantId, cookie, accountId, cookieExpiresAt: cookieExpiresAt.toISOString(), ...device });
    // Whatever the registry said is final: another answer would not come of asking the provider again.
    await this.registrations.forget({ merchantId, id: cookie, ...lease });
    this.logger.info('a device that registered elsewhere was bound, or not', { merchantId, outcome });
  }
}

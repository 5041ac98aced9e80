import { requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Logger } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { LeasedRow } from './leased-rows.js';
import type { UpstreamAccount } from './upstream-account.js';
import { UpstreamJobs, type UpstreamWork } from './upstream-jobs.js';
import { UpstreamRegistrations } from './upstream-registrations.js';
import { postponementOf, recordWaitSecondsAfter } from './upstream-retry.js';
import { Upstreams } from './upstreams.js';

/**
 * Asks providers which devices redeemed the tokens of cookies, and has the registry bind them. From there everything goes
 * its usual way: `DeviceRegistered` is heard, and purchases that waited are settled.
 */
@Injectable()
export class AskRecords implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly jobs: UpstreamJobs;

  constructor(
    upstreams: Upstreams,
    private readonly registrations: UpstreamRegistrations,
    private readonly requests: Requests,
    private readonly logger: Logger,
  ) {
    const claim: UpstreamWork['claim'] = (merchantId, limits) => registrations.claim(merchantId, limits);
    this.jobs = new UpstreamJobs('ask-upstream-records', upstreams.all, { claim, perform: (account, row) => this.look(account, row) }, logger);
    registrations.onHastened(() => this.jobs.wake());
  }

  onApplicationBootstrap(): void {
    this.jobs.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.jobs.stop();
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
    if (answer.kind === 'none') return this.registrations.postpone(row, { attempt: row.attempt, waitSeconds: recordWaitSecondsAfter(row.attempt, Math.random()), failure: undefined });
    const postponement = postponementOf(row, answer, Math.random());
    this.logger.info('a provider gave no record', { merchantId: row.merchantId, failure: postponement.failure });
    await this.registrations.postpone(row, postponement);
  }

  private async bind({ merchantId, id: cookie, ...lease }: LeasedRow, { accountId, cookieExpiresAt }: { accountId: string; cookieExpiresAt: Date }, deviceId: string): Promise<void> {
    const device = { evidence: 'asserted' as const, deviceId };
    const { outcome } = await this.requests.ask(requests.bindDevice, { merchantId, cookie, accountId, cookieExpiresAt: cookieExpiresAt.toISOString(), ...device });
    // Whatever the registry said is final: another answer would not come of asking the provider again.
    await this.registrations.forget({ merchantId, id: cookie, ...lease });
    this.logger.info('a device that registered elsewhere was bound, or not', { merchantId, outcome });
  }
}

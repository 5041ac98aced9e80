import { type Logger, WokenJob } from '@latchkey/service-defaults';
import type { LeasedRow } from './leased-rows.js';
import type { UpstreamAccount } from './upstream-account.js';

/** What another replica has left, or is due again, is found so late at most. */
const POLL_MS = 1_000;
/** How much is asked of one provider at a time by one replica. */
const AT_ONCE = 8;
/** How much longer than an attempt may take its lease holds: time enough to store what came of it. */
const LEASE_MARGIN_SECONDS = 20;

/** What jobs work through. */
export interface UpstreamWork {
  claim(merchantId: string, limits: { readonly limit: number; readonly leaseSeconds: number }): Promise<readonly LeasedRow[]>;
  perform(account: UpstreamAccount, row: LeasedRow): Promise<void>;
}

/** A job for each provider, so that one that does not answer holds up nobody else's customers. */
export class UpstreamJobs {
  private readonly jobs: readonly WokenJob[];
  private stopping = false;

  constructor(
    private readonly name: string,
    accounts: readonly UpstreamAccount[],
    private readonly work: UpstreamWork,
    private readonly logger: Logger,
  ) {
    this.jobs = accounts.map((account) => new WokenJob(name, POLL_MS, () => this.run(account), logger));
  }

  start(): void {
    this.stopping = false;
    for (const job of this.jobs) job.start();
  }

  /** Has what is due looked for now. */
  wake(): void {
    for (const job of this.jobs) job.wake();
  }

  /** Lets what is under way end, and leaves what is due to others, or to the next start. */
  async stop(): Promise<void> {
    this.stopping = true;
    await Promise.all(this.jobs.map((job) => job.stop()));
  }

  /** While nobody is to be asked, one row finds out whether that is over; the others stay due. */
  private async run(account: UpstreamAccount): Promise<void> {
    const { merchantId, timeoutMs } = account.provider;
    const leaseSeconds = timeoutMs / 1000 + LEASE_MARGIN_SECONDS;
    while (!this.stopping) {
      const claimed = await this.work.claim(merchantId, { limit: account.level === 0 ? AT_ONCE : 1, leaseSeconds });
      await Promise.all(claimed.map((row) => this.perform(account, row)));
      if (claimed.length < AT_ONCE) return;
    }
  }

  private async perform(account: UpstreamAccount, row: LeasedRow): Promise<void> {
    try {
      await this.work.perform(account, row);
    } catch (error) {
      // The lease ends by itself, and whoever claims the row then does it anew. Its id may be a cookie.
      this.logger.warn('what is done with a provider failed', { job: this.name, merchantId: row.merchantId }, error);
    }
  }
}

import type { Logger } from './logger.js';

/** A job that runs again and again, `intervalMs` after it last ended, until it is stopped. One at a time. */
export class Periodic {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private readonly stopping = new AbortController();

  constructor(
    private readonly name: string,
    private readonly intervalMs: number,
    /** A job that works in batches ends after the one in hand once the signal is aborted. */
    private readonly job: (stopping: AbortSignal) => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Runs the job for the first time now. */
  start(): void {
    this.timer = setTimeout(() => this.run(), 0);
  }

  /** Lets the job end and runs it no more. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.current;
  }

  private run(): void {
    this.current = this.job(this.stopping.signal)
      // A job that fails (its database is away, say) must not end the process nor the series.
      .catch((error: unknown) => this.logger.warn('a periodic job failed', { job: this.name }, error))
      .finally(() => {
        if (!this.stopping.signal.aborted) this.timer = setTimeout(() => this.run(), this.intervalMs);
      });
  }
}

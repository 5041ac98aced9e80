import { AsyncResource } from 'node:async_hooks';
import type { Logger } from './logger.js';

/** After a failure the job rests at least so long, so that a database that is away does not fill the log. */
const REST_AFTER_FAILURE_MS = 1_000;

/** A job that runs when it is woken, and every `idleMs` in case nobody woke it. One at a time; a wake is never lost. */
export class WokenJob {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private wanted = false;
  private running = false;
  private failed = false;
  /**
   * Where the job runs, whoever wakes it. Within a request that woke it, it would have that request's deadline and correlation
   * id, and so would every later run, whose timer was set within it: a moment later none of them could commit any more.
   */
  private readonly own = new AsyncResource('WokenJob');

  constructor(
    private readonly name: string,
    private readonly idleMs: number,
    private readonly job: () => Promise<void>,
    private readonly logger: Logger,
  ) {}

  /** Runs the job for the first time now. */
  start(): void {
    this.running = true;
    this.wake();
  }

  /** Has the job run as soon as it can; returns at once. Does nothing while the job is stopped. */
  wake(): void {
    if (!this.running) return;
    this.wanted = true;
    if (this.current) return;
    clearTimeout(this.timer);
    this.own.runInAsyncScope(() => this.begin());
  }

  /** Lets the job end and runs it no more, until it is started again. */
  async stop(): Promise<void> {
    this.running = false;
    clearTimeout(this.timer);
    await this.current;
  }

  private begin(): void {
    this.current = this.run().finally(() => {
      this.current = undefined;
      if (this.running) this.timer = setTimeout(() => this.wake(), this.restMs());
    });
  }

  private restMs(): number {
    if (this.failed) return Math.max(this.idleMs, REST_AFTER_FAILURE_MS);
    // Woken after the run looked for the last time, and before it was known to be over.
    return this.wanted ? 0 : this.idleMs;
  }

  private async run(): Promise<void> {
    while (this.wanted && this.running) {
      this.wanted = false;
      try {
        await this.job();
        this.failed = false;
      } catch (error) {
        // Its database is away, say. It is tried again after a rest, not at once.
        this.wanted = false;
        this.failed = true;
        this.logger.warn('a job failed', { job: this.name }, error);
      }
    }
  }
}

import type { Logger } from './logger.js';

const RETRY_MS = 1_000;

/**
 * Whether a service has its queues declared and its consumers running. A service that works without the broker comes up
 * while it is away and goes on trying: one refusal at the start must not leave it deaf for ever, honouring what was
 * revoked long ago.
 */
export class BrokerMembership {
  private isJoined = false;
  private stopped = false;

  constructor(
    private readonly attempt: () => Promise<void>,
    private readonly logger: Logger,
    private readonly retryMs = RETRY_MS,
  ) {}

  /** Whether joining has succeeded. */
  get joined(): boolean {
    return this.isJoined;
  }

  /** Joins. With `wait` it resolves when that is done and rejects when it fails; without it goes on trying behind the scenes. */
  async join({ wait }: { readonly wait: boolean }): Promise<void> {
    if (wait) await this.once();
    else void this.goOn();
  }

  /** Gives up trying. */
  stop(): void {
    this.stopped = true;
  }

  private async once(): Promise<void> {
    await this.attempt();
    this.isJoined = true;
  }

  private async goOn(): Promise<void> {
    while (!this.stopped) {
      try {
        return await this.once();
      } catch (error) {
        this.logger.error('the broker could not be joined and will be tried again', {}, error);
        await new Promise((resolve) => setTimeout(resolve, this.retryMs));
      }
    }
  }
}

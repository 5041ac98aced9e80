import { CONFIGURATION, Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import type { GatewayConfiguration } from '../config.js';
import { DeliveryStore, pruningReasons } from './delivery-store.js';
import { WebhookSecrets } from './webhook-secrets.js';
import { WebhookStore } from './webhook-store.js';

const INTERVAL_MS = 3_600_000;
const AT_ONCE_MAX = 1_000;
/** Longer than the schedule of attempts takes, by a day for a receiver that puts us off. */
const GIVEN_UP_AFTER_DAYS = 4;

/** Gives up what has waited too long, forgets what nobody asks for any more, and takes secrets along when the key that wraps them changes. */
@Injectable()
export class WebhookHousekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly periodic: Periodic;
  private stopping = false;

  constructor(
    private readonly deliveries: DeliveryStore,
    private readonly webhooks: WebhookStore,
    private readonly secrets: WebhookSecrets,
    @Inject(CONFIGURATION) private readonly configuration: GatewayConfiguration,
    private readonly logger: Logger,
  ) {
    this.periodic = new Periodic('webhook-housekeeping', INTERVAL_MS, () => this.tidy(), logger);
  }

  /** Starts the job. */
  onApplicationBootstrap(): void {
    this.periodic.start();
  }

  /** Lets the job end. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping = true;
    await this.periodic.stop();
  }

  /** In small bites, so that no statement holds its locks for long. */
  private async tidy(): Promise<void> {
    await this.webhooks.forgetPreviousSecrets();
    await this.rewrap();
    while (!this.stopping && (await this.deliveries.giveUp(GIVEN_UP_AFTER_DAYS, AT_ONCE_MAX)) === AT_ONCE_MAX);
    for (const reason of pruningReasons) {
      while (!this.stopping && (await this.deliveries.prune(reason, this.configuration.webhookRetentionDays, AT_ONCE_MAX)) === AT_ONCE_MAX);
    }
  }

  private async rewrap(): Promise<void> {
    const { primaryKeyId } = this.secrets;
    if (primaryKeyId === undefined) return;
    for (const { webhookId, secret, previous } of await this.webhooks.notWrappedUnder(primaryKeyId)) {
      const rewrapped = { webhookId, secret: this.secrets.rewrap(webhookId, secret), previous: previous && this.secrets.rewrap(webhookId, previous) };
      if (this.secrets.open(webhookId, secret) === undefined) this.logger.warn('the secret of a webhook cannot be opened with the keys there are', { webhookId });
      await this.webhooks.rewrap({ webhookId, secret, previous }, rewrapped);
    }
  }
}

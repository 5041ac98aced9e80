import { Logger, Metrics } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { codeOf } from '../license/refusal.js';
import type { DeviceTokensOutcome } from './show-device-tokens.js';

/** Counts what devices that collect their tokens are answered, apart from licences: a dashboard of plays must not count them. */
@Injectable()
export class DeviceTokenMetrics {
  private readonly shown;
  private readonly refused;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
  ) {
    this.shown = metrics.counter('latchkey_device_token_lists_total', 'Lists of tokens shown to devices', []);
    this.refused = metrics.counter('latchkey_device_token_lists_refused_total', 'Lists of tokens refused to devices, by code, step and reason', ['code', 'stage', 'reason']);
  }

  /** Counts one outcome. */
  count(outcome: DeviceTokensOutcome): void {
    if (outcome.ok) {
      this.shown.inc({});
      return;
    }
    const { stage, reason } = outcome;
    this.refused.inc({ code: codeOf(outcome), stage, reason });
    this.logger.debug('a list of tokens was refused', { stage, reason });
  }
}

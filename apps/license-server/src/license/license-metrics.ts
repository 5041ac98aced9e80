import { Logger, Metrics } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import type { LicenseOutcome } from './create-license.js';
import { codeOf } from './refusal.js';

/** Counts licences, and refusals by the code that devices are told and the reason that they are not. */
@Injectable()
export class LicenseMetrics {
  private readonly granted;
  private readonly denied;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
  ) {
    this.granted = metrics.counter('latchkey_licenses_granted_total', 'Licences given, by kind of token', ['kind']);
    this.denied = metrics.counter('latchkey_licenses_denied_total', 'Licences refused, by code, step and reason', ['code', 'stage', 'reason']);
  }

  /** Counts one outcome. */
  count(outcome: LicenseOutcome): void {
    if (outcome.ok) {
      this.granted.inc({ kind: outcome.kind });
      return;
    }
    const { stage, reason } = outcome;
    this.denied.inc({ code: codeOf(outcome), stage, reason });
    this.logger.debug('a licence was refused', { stage, reason });
  }
}

import type { Drm } from '@latchkey/contracts';
import { Logger, Metrics } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { codeOf } from '../license/refusal.js';
import type { VerificationOutcome } from './verify-license.js';

/** Counts what merchants' licence servers are answered, apart from licences of our own: those they give themselves. */
@Injectable()
export class VerificationMetrics {
  private readonly allowed;
  private readonly refused;

  constructor(
    metrics: Metrics,
    private readonly logger: Logger,
  ) {
    this.allowed = metrics.counter('latchkey_verifications_allowed_total', 'Licences that licence servers of merchants were allowed, by kind of token and DRM', ['kind', 'drm']);
    this.refused = metrics.counter('latchkey_verifications_refused_total', 'Licences that licence servers of merchants were refused, by code, step, reason and DRM', ['code', 'stage', 'reason', 'drm']);
  }

  /** Counts one outcome. */
  count(drm: Drm, outcome: VerificationOutcome): void {
    if (outcome.ok) {
      this.allowed.inc({ kind: outcome.kind, drm });
      return;
    }
    const { stage, reason } = outcome;
    this.refused.inc({ code: codeOf(outcome), stage, reason, drm });
    this.logger.debug('a licence of a merchant’s server was refused', { stage, reason });
  }
}

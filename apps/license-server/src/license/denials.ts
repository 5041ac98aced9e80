import { type EventData, LicenseDenied } from '@latchkey/contracts';
import type { LatchkeyToken } from '@latchkey/crypto';
import { currentCorrelationId } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { Logger, Metrics } from '@latchkey/service-defaults';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Gatherer } from '../gatherer.js';
import { isFaultOfOneRow } from '../sql-errors.js';
import { DenialQuota } from './denial-quota.js';
import { codeOf, type LicenseRefusal } from './refusal.js';

/** A refusal to a request that carried a genuine token, from a device that proved its key or that its merchant named. */
export interface Denial {
  readonly token: LatchkeyToken;
  readonly deviceId: string;
  readonly kids: readonly string[];
  readonly refusal: LicenseRefusal;
}

interface DenialEvent {
  readonly data: EventData<typeof LicenseDenied>;
  readonly correlationId: string | undefined;
}

const TOLD_PER_TOKEN_AND_MINUTE_MAX = 10;
const TOKENS_PER_MINUTE_MAX = 20_000;
const LIMITS = { batchSizeMax: 200, inFlightMax: 1, waitingMax: 2_000, timeoutMs: 10_000, isFaultOfOne: isFaultOfOneRow };

/**
 * Tells merchants of refused licences. The device's answer does not wait for it: a refusal is right whether or not it
 * can be told, and where the database is away it has to be said all the same. What could not be told is counted.
 */
@Injectable()
export class Denials implements OnApplicationShutdown {
  private readonly quota = new DenialQuota(TOLD_PER_TOKEN_AND_MINUTE_MAX, TOKENS_PER_MINUTE_MAX);
  private readonly gatherer: Gatherer<DenialEvent, void>;
  private readonly untold;

  constructor(
    private readonly outbox: Outbox,
    private readonly logger: Logger,
    metrics: Metrics,
  ) {
    this.gatherer = new Gatherer((denials) => this.append(denials), LIMITS);
    this.untold = metrics.counter('latchkey_license_denials_untold_total', 'Refused licences for which no LicenseDenied went out, by reason', ['reason']);
  }

  /** Tells of a refusal, unless it is none of the token's: a part that is away denies everybody. Returns at once. */
  tell({ token, deviceId, kids, refusal }: Denial): void {
    if (refusal.stage === 'unavailable') return;
    const { merchant, jti, cookie } = token.claims;
    if (!this.quota.take(jti, performance.now())) return this.untold.inc({ reason: 'quota' });
    const data = { merchantId: merchant, tokenId: jti, cookie, deviceId, kids: [...kids], code: codeOf(refusal), at: new Date().toISOString() };
    this.gatherer.add({ data, correlationId: currentCorrelationId() }).catch((error: unknown) => {
      this.untold.inc({ reason: 'failed' });
      this.logger.warn('a refused licence could not be told', { merchantId: merchant, tokenId: jti }, error);
    });
  }

  /** After the last request has ended, and before the database is closed. */
  async onApplicationShutdown(): Promise<void> {
    await this.gatherer.drain();
  }

  private async append(denials: readonly DenialEvent[]): Promise<readonly void[]> {
    await this.outbox.transaction(async (tx) => {
      for (const { data, correlationId } of denials) tx.append(LicenseDenied, data, correlationId);
    });
    return denials.map(() => undefined);
  }
}

import { currentCorrelationId } from '@latchkey/messaging';
import { CONFIGURATION, Logger } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { LicenseServerConfiguration } from '../config.js';
import { Gatherer } from '../gatherer.js';
import { isFaultOfOneRow } from '../sql-errors.js';
import { type Admission, refusalOf, type Verdict } from './admission.js';
import { ADMISSION_TIMEOUT_SECONDS, AdmissionStore } from './admission-store.js';
import { type LicenseRefusal, refuse } from './refusal.js';

// Three statements at once keep PostgreSQL busy while one of them waits for the disk, and leave connections for others.
const LIMITS = { batchSizeMax: 100, inFlightMax: 3, waitingMax: 5_000, timeoutMs: ADMISSION_TIMEOUT_SECONDS * 1000, isFaultOfOne: isFaultOfOneRow };

/** The last step to a licence: what all replicas share, asked for all requests that wait at once. */
@Injectable()
export class Admissions {
  private readonly gatherer: Gatherer<Admission, Verdict>;

  constructor(
    private readonly store: AdmissionStore,
    private readonly logger: Logger,
    @Inject(CONFIGURATION) private readonly configuration: LicenseServerConfiguration,
  ) {
    this.gatherer = new Gatherer((admissions) => this.admitAll(admissions), LIMITS);
  }

  /** The refusal, or undefined where the licence is granted and its grant is on disk. Never rejects. */
  async refuse(admission: Admission): Promise<LicenseRefusal | undefined> {
    try {
      return refusalOf(await this.gatherer.add({ ...admission, correlationId: currentCorrelationId() }));
    } catch {
      // Whoever failed has logged it, once for the batch. Without a verdict there is no licence.
      return refuse('unavailable', 'database');
    }
  }

  private async admitAll(admissions: readonly Admission[]): Promise<readonly Verdict[]> {
    try {
      return await this.store.admit(admissions, this.configuration.revocationAgeSecondsMax);
    } catch (error) {
      this.logger.warn('licences could not be admitted', { requests: admissions.length }, error);
      throw error;
    }
  }
}

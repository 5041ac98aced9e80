import { Module } from '@nestjs/common';
import { Housekeeping } from './housekeeping.js';
import { AdmissionStore } from './license/admission-store.js';
import { Admissions } from './license/admissions.js';
import { CreateLicense } from './license/create-license.js';
import { Denials } from './license/denials.js';
import { DeviceRegistry } from './license/device-registry.js';
import { DpopNonces } from './license/dpop-nonces.js';
import { GenuineTokens } from './license/genuine-tokens.js';
import { LicenseMetrics } from './license/license-metrics.js';
import { LicenseController } from './license/license.controller.js';
import { RevocationKnowledge } from './revocations/revocation-knowledge.js';
import { RevocationsController } from './revocations/revocations.controller.js';
import { SigningKeysController } from './signing-keys/signing-keys.controller.js';
import { SigningKeys } from './signing-keys/signing-keys.js';

/** The licence server: licences, and what has to be known to refuse them. */
@Module({
  controllers: [LicenseController, RevocationsController, SigningKeysController],
  providers: [
    CreateLicense,
    DpopNonces,
    GenuineTokens,
    SigningKeys,
    DeviceRegistry,
    Admissions,
    AdmissionStore,
    Denials,
    LicenseMetrics,
    RevocationKnowledge,
    Housekeeping,
  ],
})
export class AppModule {}

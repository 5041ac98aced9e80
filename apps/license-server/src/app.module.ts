import { Module } from '@nestjs/common';
import { DeviceTokenMetrics } from './device-tokens/device-token-metrics.js';
import { DeviceTokensController } from './device-tokens/device-tokens.controller.js';
import { ShowDeviceTokens } from './device-tokens/show-device-tokens.js';
import { TokenIssuer } from './device-tokens/token-issuer.js';
import { Housekeeping } from './housekeeping.js';
import { AdmissionStore } from './license/admission-store.js';
import { Admissions } from './license/admissions.js';
import { CreateLicense } from './license/create-license.js';
import { Denials } from './license/denials.js';
import { DeviceAuthentication } from './license/device-authentication.js';
import { DeviceRegistry } from './license/device-registry.js';
import { DpopNonces } from './license/dpop-nonces.js';
import { GenuineTokens } from './license/genuine-tokens.js';
import { LicenseMetrics } from './license/license-metrics.js';
import { LicenseController } from './license/license.controller.js';
import { RevocationKnowledge } from './revocations/revocation-knowledge.js';
import { RevocationsController } from './revocations/revocations.controller.js';
import { SigningKeysController } from './signing-keys/signing-keys.controller.js';
import { SigningKeys } from './signing-keys/signing-keys.js';
import { VerificationMetrics } from './verify/verification-metrics.js';
import { VerifyLicense } from './verify/verify-license.js';
import { VerifyLicenseController } from './verify/verify-license.controller.js';

/** The licence server: licences, a device's list of its tokens, what merchants' own servers may give, and what has to be known to refuse them. */
@Module({
  controllers: [LicenseController, DeviceTokensController, VerifyLicenseController, RevocationsController, SigningKeysController],
  providers: [
    DeviceAuthentication,
    CreateLicense,
    ShowDeviceTokens,
    TokenIssuer,
    DeviceTokenMetrics,
    VerifyLicense,
    VerificationMetrics,
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

import { type LicenseVerdict, normaliseDeviceId, type RequestInput, type requests, rightsOfToken } from '@latchkey/contracts';
import type { ContentClaims, LatchkeyToken, RegistrationClaims } from '@latchkey/crypto';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { LicenseServerConfiguration } from '../config.js';
import { admissionWithoutRights, byAssertion, contentAdmission } from '../license/admission.js';
import { Admissions } from '../license/admissions.js';
import { refuseAssertedDevice, refuseKids, refuseToken } from '../license/check-token.js';
import { Denials } from '../license/denials.js';
import { type BindingDevice, DeviceRegistry } from '../license/device-registry.js';
import { GenuineTokens } from '../license/genuine-tokens.js';
import { type LicenseRefusal, refuse } from '../license/refusal.js';

/** What a merchant's licence server asks, with the merchant whose key it asked with. */
export type LicenseQuestion = RequestInput<typeof requests.verifyLicense>;

/** What the licence server may do, or why it may not. */
export type VerificationOutcome =
  | { readonly ok: true; readonly kind: LatchkeyToken['kind']; readonly verdict: Extract<LicenseVerdict, { allow: true }> }
  | LicenseRefusal;

/**
 * `license-server.verify`: token → merchant → its times and parties → binding → rights, and the play clock, by the same
 * steps and the same statement as a licence of our own. There is no proof, so nothing is used up: asked again with the
 * same words, it is judged again, and says the same for as long as nothing has changed.
 */
@Injectable()
export class VerifyLicense {
  constructor(
    private readonly tokens: GenuineTokens,
    private readonly registry: DeviceRegistry,
    private readonly admissions: Admissions,
    private readonly denials: Denials,
    @Inject(CONFIGURATION) private readonly configuration: LicenseServerConfiguration,
  ) {}

  /** Answers one question. Never rejects for what it holds, nor for a part that is away. */
  async handle(question: LicenseQuestion): Promise<VerificationOutcome> {
    const { merchantId, kids, confidence } = question;
    const deviceId = normaliseDeviceId(question.deviceId);
    const token = await this.tokens.read(question.token);
    if (!token.ok) return token;
    // Of another merchant's token nothing is said, and nobody is told: its events would then hold what this one writes.
    if (token.claims.merchant !== merchantId) return refuse('token', 'other-merchant');
    const { tokenIssuer: iss, licenseUrl: aud } = this.configuration;
    const nowSeconds = Math.floor(Date.now() / 1000);
    const refusal = refuseToken(token, { iss, aud }, nowSeconds) ?? refuseAssertedDevice(token, deviceId);
    const outcome = refusal ?? (token.kind === 'content' ? await this.allow(token.claims, deviceId, kids) : await this.register(token.claims, { deviceId, evidence: 'asserted', confidence }));
    if (!outcome.ok) this.denials.tell({ token, deviceId, kids: kids ?? [], refusal: outcome });
    return outcome;
  }

  private async allow(claims: ContentClaims, deviceId: string, asked: readonly string[] = claims.kids): Promise<VerificationOutcome> {
    const refusal = refuseKids(claims, asked) ?? (await this.admissions.refuse(contentAdmission(claims, byAssertion(deviceId), asked, new Date())));
    return refusal ?? { ok: true, kind: 'content', verdict: { allow: true, tokenId: claims.jti, kids: [...asked], rights: rightsOfToken(claims.rights) } };
  }

  private async register(claims: RegistrationClaims, device: BindingDevice): Promise<VerificationOutcome> {
    const refusal =
      (await this.registry.bind(claims, device)) ?? (await this.admissions.refuse(admissionWithoutRights(claims, byAssertion(device.deviceId))));
    return refusal ?? { ok: true, kind: 'registration', verdict: { allow: true, tokenId: claims.jti, kids: [] } };
  }
}

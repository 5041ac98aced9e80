import type { License } from '@latchkey/contracts';
import type { ContentClaims, LatchkeyToken, RegistrationClaims } from '@latchkey/crypto';
import { CONFIGURATION, Logger } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { LicenseServerConfiguration } from '../config.js';
import { admissionWithoutRights, byProof, contentAdmission } from './admission.js';
import { Admissions } from './admissions.js';
import type { CheckedProof } from './check-proof.js';
import { refuseKids } from './check-token.js';
import type { DeviceRequest } from './credentials.js';
import { Denials } from './denials.js';
import { DeviceAuthentication } from './device-authentication.js';
import { DeviceRegistry } from './device-registry.js';
import { licenseOf, makeUpKeys, openKeys } from './license-keys.js';
import { readLicenseRequest } from './license-request.js';
import { type LicenseRefusal, refuse } from './refusal.js';

/** A licence, or why there is none. */
export type LicenseOutcome = { readonly ok: true; readonly kind: LatchkeyToken['kind']; readonly license: License } | LicenseRefusal;

/**
 * `POST /v1/licenses`: transport → proof's form and signature → its claims → nonce → token → binding (all of these in
 * `DeviceAuthentication`) → body → rights → replay mark, written with the grant. The order is the contract's: each check
 * sees only what the ones before it let through, and nothing is written for a request that any of them refuses.
 */
@Injectable()
export class CreateLicense {
  constructor(
    private readonly authentication: DeviceAuthentication,
    private readonly registry: DeviceRegistry,
    private readonly admissions: Admissions,
    private readonly denials: Denials,
    private readonly logger: Logger,
    @Inject(CONFIGURATION) private readonly configuration: LicenseServerConfiguration,
  ) {}

  /** Answers one request. Never rejects for what a request holds, nor for a part that is away. */
  async handle(request: DeviceRequest): Promise<LicenseOutcome> {
    const device = await this.authentication.check(request, { method: 'POST', url: this.configuration.licenseUrl });
    if (!device.ok) return device;
    const { token, proof, refusal } = device;
    const asked = readLicenseRequest(request.body, token.kind);
    const outcome = refusal ?? (asked.ok ? await this.open(token, proof, asked.kids) : refuse('body', asked.reason));
    if (!outcome.ok) this.denials.tell({ token, deviceId: proof.deviceId, kids: asked.ok ? asked.kids : [], refusal: outcome });
    return outcome;
  }

  private async open(token: LatchkeyToken, proof: CheckedProof, kids: readonly string[]): Promise<LicenseOutcome> {
    return token.kind === 'content' ? this.openContent(token.claims, proof, kids) : this.register(token.claims, proof, kids);
  }

  private async openContent(claims: ContentClaims, proof: CheckedProof, kids: readonly string[]): Promise<LicenseOutcome> {
    const foreignKid = refuseKids(claims, kids);
    if (foreignKid) return foreignKid;
    const keys = openKeys(this.configuration.keyRing, claims, kids);
    if (!keys) {
      this.logger.error('a content key is wrapped under a KEK that is not configured', { tokenId: claims.jti });
      return refuse('unavailable', 'kek-unknown');
    }
    const refusal = await this.admissions.refuse(contentAdmission(claims, byProof(proof), kids, new Date()));
    return refusal ?? { ok: true, kind: 'content', license: licenseOf(keys) };
  }

  /** Binds before the proof is marked as used: binding again is harmless, a mark without a binding would not be. */
  private async register(claims: RegistrationClaims, proof: CheckedProof, kids: readonly string[]): Promise<LicenseOutcome> {
    const refusal =
      (await this.registry.bind(claims, { deviceId: proof.deviceId, evidence: 'proof' })) ?? (await this.admissions.refuse(admissionWithoutRights(claims, byProof(proof))));
    return refusal ?? { ok: true, kind: 'registration', license: licenseOf(makeUpKeys(kids)) };
  }
}

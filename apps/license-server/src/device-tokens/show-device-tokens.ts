import { type DeviceTokensView, operations } from '@latchkey/contracts';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Inject, Injectable } from '@nestjs/common';
import type { LicenseServerConfiguration } from '../config.js';
import { admissionWithoutRights, byProof } from '../license/admission.js';
import { Admissions } from '../license/admissions.js';
import type { DeviceRequest } from '../license/credentials.js';
import { DeviceAuthentication } from '../license/device-authentication.js';
import type { LicenseRefusal } from '../license/refusal.js';
import { TokenIssuer } from './token-issuer.js';

/** A device's tokens, or why it is shown none. */
export type DeviceTokensOutcome = { readonly ok: true; readonly view: DeviceTokensView } | LicenseRefusal;

/**
 * `GET /v1/device/tokens`: what every device is asked → the issuer's list → device and token not revoked, and the replay
 * mark, by the same statement as for a licence. Marked last: a proof that was answered 503 has not been used.
 */
@Injectable()
export class ShowDeviceTokens {
  private readonly url: string;

  constructor(
    private readonly authentication: DeviceAuthentication,
    private readonly issuer: TokenIssuer,
    private readonly admissions: Admissions,
    @Inject(CONFIGURATION) private readonly configuration: LicenseServerConfiguration,
  ) {
    this.url = operations.deviceTokensUrlOf(configuration.licenseUrl);
  }

  /** Answers one request. Never rejects for what a request holds, nor for a part that is away. */
  async handle({ method, ...request }: Pick<DeviceRequest, 'headers' | 'query'> & { readonly method: string }): Promise<DeviceTokensOutcome> {
    const device = await this.authentication.check(request, { method, url: this.url });
    if (!device.ok) return device;
    if (device.refusal) return device.refusal;
    const { token, proof } = device;
    const listed = await this.issuer.listTokens(token.claims, proof.deviceId);
    if (!listed.ok) return listed;
    const refusal = await this.admissions.refuse(admissionWithoutRights(token.claims, byProof(proof)));
    return refusal ?? { ok: true, view: { ...listed.listed, licenseUrl: this.configuration.licenseUrl } };
  }
}

import { type DeviceTokens, Problem, requests } from '@latchkey/contracts';
import type { LatchkeyToken } from '@latchkey/crypto';
import { Requests } from '@latchkey/messaging';
import { Logger } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { type LicenseRefusal, refuse } from '../license/refusal.js';

const LIST_TIMEOUT_MS = 5_000;

/** The tokens of a device, or why there is nothing to show. */
export type TokenList = { readonly ok: true; readonly listed: DeviceTokens } | LicenseRefusal;

/** Who owns the tokens. A licence never needs it. */
@Injectable()
export class TokenIssuer {
  constructor(
    private readonly requests: Requests,
    private readonly logger: Logger,
  ) {}

  /** Asks for the live tokens of the device at the merchant of these claims. Never rejects. */
  async listTokens({ merchant, cookie }: LatchkeyToken['claims'], deviceId: string): Promise<TokenList> {
    try {
      return { ok: true, listed: await this.requests.ask(requests.listDeviceTokens, { merchantId: merchant, cookie, deviceId }, LIST_TIMEOUT_MS) };
    } catch (error) {
      if (error instanceof Problem && error.code === 'device-revoked') return refuse('rights', error.code);
      if (error instanceof Problem && error.code === 'cookie-bound-elsewhere') return refuse('registration', error.code);
      this.logger.warn('the tokens of a device could not be listed', { merchantId: merchant }, error);
      return refuse('unavailable', 'token-issuer');
    }
  }
}

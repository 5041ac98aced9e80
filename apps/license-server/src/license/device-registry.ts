import { requests, type RequestInput } from '@latchkey/contracts';
import type { RegistrationClaims } from '@latchkey/crypto';
import { Requests } from '@latchkey/messaging';
import { Logger } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import { type LicenseRefusal, refuse } from './refusal.js';

const BIND_TIMEOUT_MS = 3_000;

/** The device that is to be bound, and how it is known. */
export type BindingDevice = Pick<RequestInput<typeof requests.bindDevice>, 'deviceId' | 'evidence' | 'confidence'>;

/** The one service that a registration needs, and a licence for content never does. */
@Injectable()
export class DeviceRegistry {
  constructor(
    private readonly requests: Requests,
    private readonly logger: Logger,
  ) {}

  /** Binds the device to the token's cookie. The refusal, or undefined where it is bound. Never rejects. */
  async bind(claims: RegistrationClaims, device: BindingDevice): Promise<LicenseRefusal | undefined> {
    try {
      const { outcome } = await this.requests.ask(
        requests.bindDevice,
        {
          merchantId: claims.merchant,
          cookie: claims.cookie,
          accountId: claims.account,
          cookieExpiresAt: new Date(claims.cookie_exp * 1000).toISOString(),
          ...device,
        },
        BIND_TIMEOUT_MS,
      );
      return outcome === 'bound' ? undefined : refuse('registration', outcome);
    } catch (error) {
      // Whatever it was, nobody knows whether the device is bound; the same request again will tell.
      this.logger.warn('a device could not be bound', { merchantId: claims.merchant }, error);
      return refuse('unavailable', 'device-registry');
    }
  }
}

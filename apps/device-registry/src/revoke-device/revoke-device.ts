import { DeviceRevoked, normaliseDeviceId, requests, type RequestInput, type RequestOutput } from '@latchkey/contracts';
import { Outbox } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { decideRevocation } from '../device.js';
import { DeviceStore } from '../device-store.js';

type RevokeRequest = RequestInput<typeof requests.revokeDevice>;
type Revoked = RequestOutput<typeof requests.revokeDevice>;

/** What is told where the merchant gave no reason: listeners need not know that there may be none. */
const NO_REASON = 'not stated';

/** Revokes a device of a merchant, for good. */
@Injectable()
export class RevokeDevice {
  constructor(
    private readonly outbox: Outbox,
    private readonly devices: DeviceStore,
  ) {}

  /** The revoked device, or that the merchant has none with that id. Each account that has bound it is told once. */
  async revoke({ merchantId, deviceId, reason }: RevokeRequest): Promise<Revoked | 'device-unknown'> {
    const device = { merchantId, deviceId: normaliseDeviceId(deviceId) };
    return this.outbox.transaction(async (tx) => {
      await this.devices.lock(tx, device);
      const decision = decideRevocation(await this.devices.find(tx, device));
      if (decision === 'device-unknown') return decision;
      if (decision === 'revoke') {
        const revokedAt = (await this.devices.revoke(tx, device, reason)).toISOString();
        const accountIds = await this.devices.accountsOf(tx, device);
        for (const accountId of accountIds) tx.append(DeviceRevoked, { ...device, accountId, reason: reason ?? NO_REASON, revokedAt });
      }
      return { deviceId: device.deviceId, state: 'revoked' };
    });
  }
}

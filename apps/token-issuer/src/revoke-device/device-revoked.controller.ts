import { DeviceRevoked, type Heard } from '@latchkey/contracts';
import { type Delivery, type Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Logger } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import { markRevoked } from '../known-device-store.js';
import { keyOf } from '../rows.js';
import type { deviceRevoked } from '../subscriptions.js';
import { appendRevoked } from '../token-mint.js';
import { revokeTokensOfDevices } from '../token-store.js';

/**
 * Devices that were revoked: what they hold stops working, and nothing is ever issued to them again. A purchase that
 * still waits for such a device is rejected when the registration is heard, which came first and may arrive later.
 */
@Controller()
export class DeviceRevokedController {
  constructor(
    private readonly outbox: Outbox,
    private readonly logger: Logger,
  ) {}

  @EventPattern<string>(DeviceRevoked.type)
  async on(@Payload() batch: readonly Delivery<Heard<typeof deviceRevoked>>[]): Promise<readonly Verdict[]> {
    let revoked = 0;
    const verdicts = await handleOnce(this.outbox, batch, async (tx, fresh) => {
      const devices = fresh.map(({ event }) => event.data);
      await markRevoked(tx, devices);
      const stopped = await revokeTokensOfDevices(tx, devices);
      const correlations = new Map(fresh.map(({ event }) => [keyOf(event.data.merchantId, event.data.deviceId), event.correlationid]));
      for (const token of stopped) appendRevoked(tx, token, 'device-revoked', correlations.get(keyOf(token.merchantId, token.deviceId)));
      revoked = stopped.length;
      return new Map();
    });
    if (revoked > 0) this.logger.info('tokens of revoked devices were revoked', { tokens: revoked });
    return verdicts;
  }
}

import { DeviceRevoked, TokenRevoked } from '@latchkey/contracts';
import type { Delivery, Verdict } from '@latchkey/messaging';
import { handleOnce, Outbox } from '@latchkey/outbox';
import { Controller } from '@nestjs/common';
import { EventPattern, Payload } from '@nestjs/microservices';
import type { HeardDeviceRevoked, HeardTokenRevoked } from '../subscriptions.js';

/** Hears what no longer works. From the commit on, no replica gives a licence for it. */
@Controller()
export class RevocationsController {
  constructor(private readonly outbox: Outbox) {}

  /** Remembers tokens that stopped working, until they would have expired. */
  @EventPattern<string>(TokenRevoked.type)
  async revokeTokens(@Payload() batch: readonly Delivery<HeardTokenRevoked>[]): Promise<readonly Verdict[]> {
    return handleOnce(this.outbox, batch, async (tx, fresh) => {
      const revoked = fresh.map(({ event }) => event.data);
      await tx.rows(
        `insert into revoked_tokens (merchant_id, token_id, expires_at)
         select * from unnest($1::text[], $2::text[], $3::timestamptz[]) as revoked (merchant_id, token_id, expires_at)
         order by merchant_id, token_id
         on conflict do nothing`,
        [revoked.map((token) => token.merchantId), revoked.map((token) => token.tokenId), revoked.map((token) => token.expiresAt)],
      );
      return new Map();
    });
  }

  /** Remembers revoked devices, for good. */
  @EventPattern<string>(DeviceRevoked.type)
  async revokeDevices(@Payload() batch: readonly Delivery<HeardDeviceRevoked>[]): Promise<readonly Verdict[]> {
    return handleOnce(this.outbox, batch, async (tx, fresh) => {
      const revoked = fresh.map(({ event }) => event.data);
      await tx.rows(
        `insert into revoked_devices (merchant_id, device_id)
         select * from unnest($1::text[], $2::text[]) as revoked (merchant_id, device_id)
         order by merchant_id, device_id
         on conflict do nothing`,
        [revoked.map((device) => device.merchantId), revoked.map((device) => device.deviceId)],
      );
      return new Map();
    });
  }
}

import type { Confidence, Evidence } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** Every evidence of one id is revoked together, so an id of a merchant is what is locked and looked at. */
export interface DeviceRef {
  readonly merchantId: string;
  readonly deviceId: string;
}

/** A device as an account sees it. */
export interface AccountDevice {
  readonly deviceId: string;
  readonly evidence: Evidence;
  /** What was stated of it with the cookie that it bound last. */
  readonly stated: Confidence | null;
  readonly revokedAt: Date | null;
  readonly registeredAt: Date;
  readonly lastSeenAt: Date;
}

/** The queries on devices. */
@Injectable()
export class DeviceStore {
  constructor(private readonly dataSource: DataSource) {}

  /**
   * Lets one transaction at a time bind or revoke a device. An advisory lock, because a device that binds for the first
   * time has no row that could be locked, and a binding must not slip in behind a revocation that saw none. Take it
   * before anything else: a statement sees what was committed when it began, not when it got the lock.
   */
  async lock(tx: Tx, { merchantId, deviceId }: DeviceRef): Promise<void> {
    await tx.rows('select pg_advisory_xact_lock(hashtextextended($1, 0))', [`${merchantId} ${deviceId}`]);
  }

  /** The devices of a merchant with an id, one for each evidence. */
  async find(tx: Tx, { merchantId, deviceId }: DeviceRef): Promise<readonly { readonly revokedAt: Date | null }[]> {
    return tx.rows(`select revoked_at as "revokedAt" from devices where merchant_id = $1 and device_id = $2`, [merchantId, deviceId]);
  }

  /** Revokes those that are not yet; resolves to when. */
  async revoke(tx: Tx, { merchantId, deviceId }: DeviceRef, reason: string | undefined): Promise<Date> {
    const [row] = await tx.rows<{ revokedAt: Date }>(
      `update devices set revoked_at = date_trunc('milliseconds', statement_timestamp()), revocation_reason = $3
       where merchant_id = $1 and device_id = $2 and revoked_at is null
       returning revoked_at as "revokedAt"`,
      [merchantId, deviceId, reason ?? null],
    );
    return row!.revokedAt;
  }

  /** The accounts that have ever bound a device. */
  async accountsOf(tx: Tx, { merchantId, deviceId }: DeviceRef): Promise<readonly string[]> {
    const rows = await tx.rows<{ accountId: string }>(
      `select distinct account_id as "accountId" from bindings where merchant_id = $1 and device_id = $2 order by account_id`,
      [merchantId, deviceId],
    );
    return rows.map(({ accountId }) => accountId);
  }

  /** The devices that an account has bound, the first one first. */
  async listOfAccount(merchantId: string, accountId: string): Promise<readonly AccountDevice[]> {
    return this.dataSource.query<AccountDevice[]>(
      `select device_id as "deviceId", evidence, devices.revoked_at as "revokedAt",
         (array_agg(bindings.confidence order by bindings.registered_at desc, cookie))[1] as "stated",
         min(bindings.registered_at) as "registeredAt", max(bindings.last_seen_at) as "lastSeenAt"
       from bindings join devices using (merchant_id, device_id, evidence)
       where merchant_id = $1 and account_id = $2
       group by merchant_id, device_id, evidence, devices.revoked_at
       order by min(bindings.registered_at), device_id, evidence`,
      [merchantId, accountId],
    );
  }
}

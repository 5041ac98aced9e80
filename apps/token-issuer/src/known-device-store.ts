import type { Tx } from '@latchkey/outbox';
import { keyOf } from './rows.js';

/** A device of a merchant. */
export interface DeviceRef {
  readonly merchantId: string;
  readonly deviceId: string;
}

/**
 * Holds each device as it is until the transaction ends and tells which of them are revoked. A revocation that comes
 * meanwhile waits, and then finds the tokens that this transaction issued; one that came before is seen here. Without
 * that a token could be issued beside the revocation and outlive it.
 *
 * Joins are locked before devices, everywhere.
 */
export async function holdDevices(tx: Tx, devices: readonly DeviceRef[]): Promise<ReadonlySet<string>> {
  if (devices.length === 0) return new Set();
  const parameters = [devices.map((device) => device.merchantId), devices.map((device) => device.deviceId)];
  const select = `select merchant_id, device_id, revoked_at from known_devices
     where (merchant_id, device_id) in (select * from unnest($1::text[], $2::text[]))
     order by merchant_id, device_id for share`;
  let rows = await tx.rows<{ merchant_id: string; device_id: string; revoked_at: Date | null }>(select, parameters);
  const wanted = new Set(devices.map((device) => keyOf(device.merchantId, device.deviceId)));
  if (rows.length < wanted.size) {
    await tx.rows(
      `insert into known_devices (merchant_id, device_id)
       select distinct * from unnest($1::text[], $2::text[]) as heard (merchant_id, device_id)
       order by merchant_id, device_id
       on conflict do nothing`,
      parameters,
    );
    rows = await tx.rows(select, parameters);
  }
  return new Set(rows.filter((row) => row.revoked_at !== null).map((row) => keyOf(row.merchant_id, row.device_id)));
}

/** Marks devices as revoked, for good; the first time counts. Waits for whoever is issuing to them. */
export async function markRevoked(tx: Tx, devices: readonly (DeviceRef & { readonly revokedAt: string })[]): Promise<void> {
  await tx.rows(
    `insert into known_devices as held (merchant_id, device_id, revoked_at)
     select merchant_id, device_id, min(revoked_at)
     from unnest($1::text[], $2::text[], $3::timestamptz[]) as heard (merchant_id, device_id, revoked_at)
     group by merchant_id, device_id
     order by merchant_id, device_id
     on conflict (merchant_id, device_id) do update set revoked_at = coalesce(held.revoked_at, excluded.revoked_at)`,
    [devices.map((device) => device.merchantId), devices.map((device) => device.deviceId), devices.map((device) => device.revokedAt)],
  );
}

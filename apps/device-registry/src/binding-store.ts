import type { Confidence, CookieRef } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Binding, BindingSituation, DeviceIdentity } from './device.js';

/** A binding to be made. */
export interface NewBinding extends CookieRef, DeviceIdentity {
  readonly accountId: string;
  /** What its licence server stated of an asserted id. */
  readonly stated: Confidence | undefined;
  readonly registeredAt: Date;
}

const columns = `merchant_id as "merchantId", cookie, account_id as "accountId", device_id as "deviceId", evidence, confidence as "stated",
  bindings.registered_at as "registeredAt", devices.revoked_at as "revokedAt"`;

/** The queries on bindings. */
@Injectable()
export class BindingStore {
  constructor(private readonly dataSource: DataSource) {}

  /** What stands against a binding, and the database's time at which it was looked at. */
  async situationOf(
    tx: Tx,
    { merchantId, cookie, deviceId }: CookieRef & Pick<DeviceIdentity, 'deviceId'>,
  ): Promise<Pick<BindingSituation, 'revoked' | 'boundTo'> & { readonly now: Date }> {
    const [row] = await tx.rows<{ now: Date; revoked: boolean; boundTo: DeviceIdentity | null }>(
      `select date_trunc('milliseconds', clock_timestamp()) as now,
         exists (select from devices where merchant_id = $1 and device_id = $3 and revoked_at is not null) as revoked,
         (select json_build_object('evidence', evidence, 'deviceId', device_id)
          from bindings where merchant_id = $1 and cookie = $2) as "boundTo"`,
      [merchantId, cookie, deviceId],
    );
    return { ...row!, boundTo: row!.boundTo ?? undefined };
  }

  /**
   * Binds, and makes the device known with its first binding. Resolves to false where another device was faster, whose
   * commit is waited for; then nothing was written, or whoever tries cookies would fill the registry with devices.
   */
  async insert(tx: Tx, { merchantId, cookie, accountId, deviceId, evidence, stated, registeredAt }: NewBinding): Promise<boolean> {
    const won = await tx.rows(
      `with won as (
         insert into bindings (merchant_id, cookie, account_id, device_id, evidence, confidence, registered_at, last_seen_at)
         values ($1, $2, $3, $4, $5, $7, $6, $6)
         on conflict (merchant_id, cookie) do nothing
         returning merchant_id, device_id, evidence, registered_at
       ), device as (
         insert into devices (merchant_id, device_id, evidence, registered_at) select * from won on conflict do nothing
       ) select from won`,
      [merchantId, cookie, accountId, deviceId, evidence, registeredAt, stated ?? null],
    );
    return won.length > 0;
  }

  /** Notes that the bound device came again. */
  async markSeen(tx: Tx, { merchantId, cookie }: CookieRef, now: Date): Promise<void> {
    const sql = 'update bindings set last_seen_at = greatest(last_seen_at, $3) where merchant_id = $1 and cookie = $2';
    await tx.rows(sql, [merchantId, cookie, now]);
  }

  /** The bindings of those of the cookies that have one. */
  async findMany(cookies: readonly CookieRef[]): Promise<readonly Binding[]> {
    return this.dataSource.query<Binding[]>(
      `select ${columns}
       from (select distinct * from unnest($1::text[], $2::text[]) as given (merchant_id, cookie)) as asked
       join bindings using (merchant_id, cookie) join devices using (merchant_id, device_id, evidence)`,
      [cookies.map(({ merchantId }) => merchantId), cookies.map(({ cookie }) => cookie)],
    );
  }

  /** So many of a merchant's bindings from the `start`th on, in the order in which they were made. */
  async list(merchantId: string, start: number, length: number): Promise<readonly Binding[]> {
    return this.dataSource.query<Binding[]>(
      `select ${columns}
       from (select * from bindings where merchant_id = $1 order by registered_at, cookie offset $2 limit $3) as bindings
       join devices using (merchant_id, device_id, evidence) order by bindings.registered_at, cookie`,
      [merchantId, start, length],
    );
  }

  /** The last ones of a merchant's bindings, in the same order. */
  async listLast(merchantId: string, length: number): Promise<readonly Binding[]> {
    return this.dataSource.query<Binding[]>(
      `select ${columns}
       from (select * from bindings where merchant_id = $1 order by registered_at desc, cookie desc limit $2) as bindings
       join devices using (merchant_id, device_id, evidence) order by bindings.registered_at, cookie`,
      [merchantId, length],
    );
  }
}

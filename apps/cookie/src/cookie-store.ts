import type { CookieRef } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { Cookie, CookieRequest } from './cookie.js';

/** How long an idempotency key stands for its request, in hours. */
export const IDEMPOTENCY_HOURS = 24;

/** A cookie to be made. Its times come from the database's clock, on which replicas agree. */
export interface NewCookie extends CookieRequest {
  readonly merchantId: string;
  readonly cookie: string;
  readonly lifetimeSeconds: number;
  readonly idempotencyKey: string | undefined;
}

/** A binding that was heard of. */
export interface HeardBinding extends CookieRef {
  readonly registeredAt: string;
}

const columns = `merchant_id as "merchantId", cookie, account_id as "accountId", expires_at as "expiresAt", bound_at as "boundAt"`;

/** The queries on cookies. */
@Injectable()
export class CookieStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Frees an idempotency key that is older than its 24 hours. */
  async freeIdempotencyKey(tx: Tx, merchantId: string, idempotencyKey: string): Promise<void> {
    await tx.rows(
      `update cookies set idempotency_key = null
       where merchant_id = $1 and idempotency_key = $2 and issued_at <= statement_timestamp() - make_interval(hours => $3)`,
      [merchantId, idempotencyKey, IDEMPOTENCY_HOURS],
    );
  }

  /** Makes a cookie, or resolves to undefined where its idempotency key is in use; waits for a rival to commit first. */
  async insert(tx: Tx, made: NewCookie): Promise<Cookie | undefined> {
    // Whole milliseconds: what is answered and published is then exactly what is compared with later.
    const [row] = await tx.rows<Cookie>(
      `insert into cookies (merchant_id, cookie, account_id, issued_at, expires_at, idempotency_key, requested_ttl_seconds)
       select $1, $2, $3, now, now + make_interval(secs => $4), $5, $6
       from (select date_trunc('milliseconds', clock_timestamp()) as now) as clock
       on conflict (merchant_id, idempotency_key) where idempotency_key is not null do nothing
       returning ${columns}`,
      [made.merchantId, made.cookie, made.accountId, made.lifetimeSeconds, made.idempotencyKey ?? null, made.ttlSeconds ?? null],
    );
    return row;
  }

  /** Makes a cookie that its merchant made up, or resolves to undefined where it exists; waits for a rival to commit first. */
  async insertAdopted(tx: Tx, made: Pick<NewCookie, 'merchantId' | 'cookie' | 'accountId' | 'lifetimeSeconds'>): Promise<Cookie | undefined> {
    const [row] = await tx.rows<Cookie>(
      `insert into cookies (merchant_id, cookie, account_id, issued_at, expires_at)
       select $1, $2, $3, now, now + make_interval(secs => $4)
       from (select date_trunc('milliseconds', clock_timestamp()) as now) as clock
       on conflict (merchant_id, cookie) do nothing
       returning ${columns}`,
      [made.merchantId, made.cookie, made.accountId, made.lifetimeSeconds],
    );
    return row;
  }

  /** The cookie that was made under an idempotency key, and the request that made it. */
  async findByIdempotencyKey(tx: Tx, merchantId: string, idempotencyKey: string): Promise<(Cookie & CookieRequest) | undefined> {
    const [row] = await tx.rows<Cookie & { ttlSeconds: number | null }>(
      `select ${columns}, requested_ttl_seconds as "ttlSeconds" from cookies where merchant_id = $1 and idempotency_key = $2`,
      [merchantId, idempotencyKey],
    );
    return row && { ...row, ttlSeconds: row.ttlSeconds ?? undefined };
  }

  /** A cookie of a merchant, and the database's time at which it was looked at. */
  async find({ merchantId, cookie }: CookieRef): Promise<(Cookie & { now: Date }) | undefined> {
    const rows = await this.dataSource.query<(Cookie & { now: Date })[]>(
      `select ${columns}, clock_timestamp() as now from cookies where merchant_id = $1 and cookie = $2`,
      [merchantId, cookie],
    );
    return rows[0];
  }

  /** Those of the cookies that exist. */
  async findMany(cookies: readonly CookieRef[]): Promise<readonly Cookie[]> {
    return this.dataSource.query<Cookie[]>(
      `select ${columns} from cookies
       join (select distinct * from unnest($1::text[], $2::text[]) as given (merchant_id, cookie)) as asked using (merchant_id, cookie)`,
      [cookies.map(({ merchantId }) => merchantId), cookies.map(({ cookie }) => cookie)],
    );
  }

  /**
   * Notes since when cookies are bound; those that are noted already stay as they are. Locks in order, so that replicas
   * with overlapping batches wait for each other instead of deadlocking.
   */
  async markBound(tx: Tx, bindings: readonly HeardBinding[]): Promise<void> {
    await tx.rows(
      `with heard as (
         select merchant_id, cookie, min(registered_at) as bound_at
         from unnest($1::text[], $2::text[], $3::timestamptz[]) as given (merchant_id, cookie, registered_at)
         group by merchant_id, cookie
       ), locked as (
         select merchant_id, cookie from cookies join heard using (merchant_id, cookie)
         where cookies.bound_at is null order by merchant_id, cookie for update of cookies
       )
       update cookies set bound_at = heard.bound_at from heard join locked using (merchant_id, cookie)
       where cookies.merchant_id = heard.merchant_id and cookies.cookie = heard.cookie`,
      [
        bindings.map(({ merchantId }) => merchantId),
        bindings.map(({ cookie }) => cookie),
        bindings.map(({ registeredAt }) => registeredAt),
      ],
    );
  }

  /** Forgets cookies that expired unbound so many days ago, at most `limit` of them; resolves to how many. */
  async prune(retentionDays: number, limit: number): Promise<number> {
    const rows = await this.dataSource.query<{ count: number }[]>(
      `with old as (
         select merchant_id, cookie from cookies
         where bound_at is null and expires_at < statement_timestamp() - make_interval(days => $1)
         limit $2 for update skip locked
       ), gone as (
         delete from cookies using old where cookies.merchant_id = old.merchant_id and cookies.cookie = old.cookie returning 1
       ) select count(*)::int as count from gone`,
      [retentionDays, limit],
    );
    return rows[0]!.count;
  }
}

import type { CookieRef } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** A cookie that was heard of. */
export interface KnownCookie extends CookieRef {
  readonly expiresAt: string;
}

/** The queries on the cookies that were heard of. They spare most questions to the cookie service, and decide nothing. */
@Injectable()
export class KnownCookieStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Notes that cookies exist; in order, so that replicas with overlapping batches wait for each other instead of deadlocking. */
  async add(tx: Tx, cookies: readonly KnownCookie[]): Promise<void> {
    await tx.rows(
      `insert into known_cookies (merchant_id, cookie, expires_at)
       select * from unnest($1::text[], $2::text[], $3::timestamptz[]) as heard (merchant_id, cookie, expires_at)
       order by merchant_id, cookie
       on conflict do nothing`,
      [cookies.map(({ merchantId }) => merchantId), cookies.map(({ cookie }) => cookie), cookies.map(({ expiresAt }) => expiresAt)],
    );
  }

  /** Whether a cookie was heard of. */
  async has({ merchantId, cookie }: CookieRef): Promise<boolean> {
    const sql = 'select from known_cookies where merchant_id = $1 and cookie = $2';
    const rows = await this.dataSource.query<unknown[]>(sql, [merchantId, cookie]);
    return rows.length > 0;
  }

  /** Forgets cookies that are expired, in bites, so that no backlog can outlast the statement timeout. */
  async prune(stopping?: AbortSignal): Promise<void> {
    for (let forgotten = BITE; forgotten === BITE && !stopping?.aborted; ) {
      const [, count] = await this.dataSource.query<[unknown, number]>(
        `delete from known_cookies where ctid = any(array(
           select ctid from known_cookies where expires_at < statement_timestamp() limit $1))`,
        [BITE],
      );
      forgotten = count;
    }
  }
}

const BITE = 10_000;

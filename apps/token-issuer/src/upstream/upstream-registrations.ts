import type { CookieRef } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { Reader, type Rows } from '../rows.js';
import { type LeasedRow, LeasedRows, type Postponement } from './leased-rows.js';
import { Upstreams } from './upstreams.js';

/** A cookie for which a device may register elsewhere. */
export interface Registration extends CookieRef {
  readonly accountId: string;
  readonly cookieExpiresAt: Date;
  /** After this no device can begin to register, unless another token is asked for. */
  readonly tokenExpiresAt: Date;
}

const rows = new LeasedRows('upstream_registrations', 'cookie');

/** Cookies that were given out with a provider's token, and whose device has to be asked for: nobody there tells us. */
@Injectable()
export class UpstreamRegistrations {
  private wakeJob: () => void = () => undefined;
  private readonly hastened = (): void => this.wakeJob();

  constructor(
    private readonly upstreams: Upstreams,
    private readonly reader: Reader,
  ) {}

  /** Remembers a cookie, before its token is handed out. Who asks for it just now has its lease taken: it would forget the cookie with the token before. */
  async remember({ merchantId, cookie, accountId, cookieExpiresAt, tokenExpiresAt }: Registration): Promise<void> {
    await this.reader.rows(
      `insert into upstream_registrations as held (merchant_id, cookie, account_id, cookie_expires_at, token_expires_at, due_at)
       values ($1, $2, $3, $4, $5, statement_timestamp())
       on conflict (merchant_id, cookie) do update
         set token_expires_at = greatest(held.token_expires_at, excluded.token_expires_at), attempts = 0, lease_id = null,
           due_at = least(held.due_at, excluded.due_at)`,
      [merchantId, cookie, accountId, cookieExpiresAt.toISOString(), tokenExpiresAt.toISOString()],
    );
  }

  /** Has the devices of cookies asked for now: a purchase waits for them. */
  async hasten(where: Tx | Rows, cookies: readonly CookieRef[]): Promise<void> {
    const ours = cookies.filter(({ merchantId }) => this.upstreams.of(merchantId));
    if (ours.length === 0) return;
    const any = await rows.hasten(where, ours.map((one) => one.merchantId), ours.map((one) => one.cookie));
    if (!any) return;
    if ('afterCommit' in where) where.afterCommit(this.hastened);
    else this.hastened();
  }

  /** Has `wake` called when cookies are due on this replica. */
  onHastened(wake: () => void): void {
    this.wakeJob = wake;
  }

  claim(merchantId: string, limits: { readonly limit: number; readonly leaseSeconds: number }): Promise<LeasedRow[]> {
    return rows.claim(this.reader, merchantId, limits);
  }

  /** What is known of a claimed cookie; undefined where it is remembered no more. By the database's clock. */
  async find({ merchantId, id }: LeasedRow): Promise<{ accountId: string; cookieExpiresAt: Date; cookieOver: boolean; tokenOver: boolean } | undefined> {
    const [found] = await this.reader.rows<{ accountId: string; cookieExpiresAt: Date; cookieOver: boolean; tokenOver: boolean }>(
      `select account_id as "accountId", cookie_expires_at as "cookieExpiresAt", cookie_expires_at <= statement_timestamp() as "cookieOver",
         token_expires_at + interval '10 minutes' <= statement_timestamp() as "tokenOver"
       from upstream_registrations where merchant_id = $1 and cookie = $2`,
      [merchantId, id],
    );
    return found;
  }

  postpone(cookie: LeasedRow, wait: Postponement): Promise<void> {
    return rows.postpone(this.reader, cookie, wait);
  }

  async forget(cookie: LeasedRow): Promise<void> {
    await rows.remove(this.reader, cookie);
  }
}

import type { Evidence } from '@latchkey/contracts';
import { currentCorrelationId } from '@latchkey/messaging';
import type { Tx } from '@latchkey/outbox';
import { Metrics } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import type { Purchase } from '../purchase.js';
import { Reader } from '../rows.js';
import { type LeasedRow, LeasedRows, type Postponement } from './leased-rows.js';
import { Upstreams } from './upstreams.js';

/** A purchase whose token is to be obtained, with the act that brought it. */
export interface NewOrder extends Purchase {
  readonly correlationId?: string;
}

const rows = new LeasedRows('upstream_orders', 'purchase_id');

/**
 * Orders of tokens elsewhere. One is placed by the transaction that judged its purchase, and carried out after it: nobody is
 * asked over the network while rows are locked.
 */
@Injectable()
export class UpstreamOrders {
  private wakeJob: () => void = () => undefined;
  private readonly placed = (): void => this.wakeJob();

  constructor(
    private readonly upstreams: Upstreams,
    private readonly reader: Reader,
    metrics: Metrics,
  ) {
    const waiting = metrics.gauge('latchkey_upstream_orders', 'Purchases that wait for a token from their merchant’s provider, by the last thing that it said', ['merchant', 'state']);
    if (upstreams.all.length > 0) {
      metrics.beforeScrape(async () => {
        const counts = await this.count();
        for (const { provider } of upstreams.all) {
          const of = counts.find(({ merchant }) => merchant === provider.merchantId);
          waiting.set({ merchant: provider.merchantId, state: 'waiting' }, of?.waiting ?? 0);
          waiting.set({ merchant: provider.merchantId, state: 'refused' }, of?.refused ?? 0);
        }
      });
    }
  }

  /**
   * Whether the token of a purchase is to be ordered for a device. One of several kids is accepted for a device of a provider's
   * no more; where it was, before its merchant had one, it is signed here.
   */
  take({ merchantId, kids }: Pick<Purchase, 'merchantId' | 'kids'>, evidence: Evidence): boolean {
    return kids.length === 1 && this.upstreams.forDevice(merchantId, evidence) !== undefined;
  }

  /**
   * Places orders of purchases that stand in their table as waiting, under the locks of their joins. What is ordered already
   * is not ordered again. A token has no beginning elsewhere: what is for sale later is ordered when its time has come.
   */
  async place(tx: Tx, orders: readonly NewOrder[]): Promise<void> {
    if (orders.length === 0) return;
    const keys = [orders.map((order) => order.merchantId), orders.map((order) => order.purchaseId)];
    const inserted = await tx.rows(
      `insert into upstream_orders (merchant_id, purchase_id, correlation_id, due_at)
       select merchant_id, purchase_id, correlation_id, greatest(statement_timestamp(), coalesce(available_from, statement_timestamp()))
       from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[]) as new (merchant_id, purchase_id, correlation_id, available_from)
       order by merchant_id, purchase_id
       on conflict do nothing returning 1`,
      [...keys, orders.map((order) => order.correlationId ?? currentCorrelationId() ?? null), orders.map((order) => order.rights.availableFrom ?? null)],
    );
    // Its device is there: the end of the cookie's time does not concern it any more.
    await tx.rows(
      `update purchases set cookie_expires_at = null
       where cookie_expires_at is not null and state = 'awaiting-device' and (merchant_id, purchase_id) in (select * from unnest($1::text[], $2::text[]))`,
      keys,
    );
    if (inserted.length > 0) tx.afterCommit(this.placed);
  }

  /** Has `wake` called when orders were placed on this replica. */
  onPlaced(wake: () => void): void {
    this.wakeJob = wake;
  }

  claim(merchantId: string, limits: { readonly limit: number; readonly leaseSeconds: number }): Promise<LeasedRow[]> {
    return rows.claim(this.reader, merchantId, limits);
  }

  postpone(order: LeasedRow, wait: Postponement): Promise<void> {
    return rows.postpone(this.reader, order, wait);
  }

  /** Takes a claimed order away; undefined where the lease is lost. Answers the act that placed it. */
  async finish(tx: Tx, order: LeasedRow): Promise<{ readonly correlationId?: string } | undefined> {
    const [row] = await tx.rows<{ correlationId: string | null }>(
      `select correlation_id as "correlationId" from upstream_orders where merchant_id = $1 and purchase_id = $2 and lease_id = $3 for update`,
      [order.merchantId, order.id, order.leaseId],
    );
    return row && (await rows.remove(tx, order)) ? { correlationId: row.correlationId ?? undefined } : undefined;
  }

  private count(): Promise<{ merchant: string; waiting: number; refused: number }[]> {
    return this.reader.rows(
      `select merchant_id as merchant, count(*) filter (where last_failure is null or last_failure not like 'refused%')::int as waiting,
         count(*) filter (where last_failure like 'refused%')::int as refused
       from upstream_orders group by merchant_id`,
    );
  }
}

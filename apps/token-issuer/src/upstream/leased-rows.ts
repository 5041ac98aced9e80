import type { Rows } from '../rows.js';

/** A row that this replica alone works on until its lease is over. */
export interface LeasedRow {
  readonly merchantId: string;
  readonly id: string;
  readonly leaseId: string;
  /** Which attempt it is, from 1, of those that all came to the same. */
  readonly attempt: number;
  /** What the attempt before came to, in a word. */
  readonly lastFailure: string | null;
}

/** When a claimed row is due again, and what the attempt came to. */
export interface Postponement {
  readonly attempt: number;
  readonly waitSeconds: number;
  readonly failure: string | undefined;
}

/**
 * Work of a merchant that is due, shared by all replicas. A claim makes a row due again only when its lease is over: who dies
 * with it loses it, and another takes it. All by the database's clock, so that replicas whose clocks differ agree.
 *
 * `table` and `id` are names of the code, never anything from outside.
 */
export class LeasedRows {
  constructor(
    private readonly table: 'upstream_orders' | 'upstream_registrations',
    private readonly id: 'purchase_id' | 'cookie',
  ) {}

  /**
   * Claims what is due, the longest due first, without waiting for what others claim. Due is what was when the statement began: a
   * clock that goes on within it cannot be looked up in an index, and each look would go through all that is not due.
   */
  claim(rows: Rows, merchantId: string, { limit, leaseSeconds }: { readonly limit: number; readonly leaseSeconds: number }): Promise<LeasedRow[]> {
    return rows.rows<LeasedRow>(
      `with due as (
         select merchant_id, ${this.id} from ${this.table} where merchant_id = $1 and due_at <= statement_timestamp()
         order by due_at limit $2 for update skip locked
       ), claimed as (
         update ${this.table} as one
         set lease_id = gen_random_uuid(), attempts = attempts + 1, due_at = statement_timestamp() + make_interval(secs => $3)
         from due where one.merchant_id = due.merchant_id and one.${this.id} = due.${this.id}
         returning one.merchant_id as "merchantId", one.${this.id} as "id", lease_id as "leaseId", attempts as "attempt", last_failure as "lastFailure"
       ) select * from claimed`,
      [merchantId, limit, leaseSeconds],
    );
  }

  /** Makes a claimed row due again after so long. Does nothing where the lease is lost. */
  async postpone(rows: Rows, row: LeasedRow, { attempt, waitSeconds, failure }: Postponement): Promise<void> {
    await rows.rows(
      `update ${this.table} set due_at = statement_timestamp() + make_interval(secs => $4), lease_id = null, last_failure = $5, attempts = $6
       where merchant_id = $1 and ${this.id} = $2 and lease_id = $3`,
      [row.merchantId, row.id, row.leaseId, waitSeconds, failure ?? null, attempt],
    );
  }

  /** Makes rows due now that are not for a while and that nobody works on; tells whether there were any. */
  async hasten(rows: Rows, merchantIds: readonly string[], ids: readonly string[]): Promise<boolean> {
    const hastened = await rows.rows(
      `with due as (
         update ${this.table} set due_at = statement_timestamp()
         where lease_id is null and due_at > statement_timestamp() + interval '1 second'
           and (merchant_id, ${this.id}) in (select * from unnest($1::text[], $2::text[])) returning 1
       ) select * from due`,
      [merchantIds, ids],
    );
    return hastened.length > 0;
  }

  /** Takes a claimed row away; false where the lease is lost, and another replica does what is to be done. */
  async remove(rows: Rows, row: LeasedRow): Promise<boolean> {
    const removed = await rows.rows(
      `with removed as (delete from ${this.table} where merchant_id = $1 and ${this.id} = $2 and lease_id = $3 returning 1) select * from removed`,
      [row.merchantId, row.id, row.leaseId],
    );
    return removed.length > 0;
  }
}

import { type DeliveryFailure, type DeliveryState, deliveryFailure } from '@latchkey/contracts';
import { Outbox, type Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { NumberedEvents } from '../feed/feed-store.js';
import type { StoredDelivery } from './delivery.js';

interface DeliveryRow {
  readonly delivery_id: string;
  readonly sequence: string;
  readonly type: string;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly created_at: Date;
  readonly due_at: Date;
  readonly last_attempt_at: Date | null;
  readonly last_status: number | null;
  readonly last_failure: string | null;
  readonly settled_at: Date | null;
}

/** Which deliveries of a webhook to list. */
export interface DeliveryQuery {
  readonly state: DeliveryState | undefined;
  /** Only events numbered below. */
  readonly before: number | undefined;
  readonly limit: number;
}

const columns = 'delivery_id, sequence, type, state, attempts, created_at, due_at, last_attempt_at, last_status, last_failure, settled_at';

const longAgo = 'statement_timestamp() - make_interval(days => $1)';

/**
 * Why deliveries may be forgotten: they ended long ago; they wait for a webhook that is disabled, and may do so for ever;
 * their webhook was removed. For the last the ids are read step by step along the index: there are few among many rows.
 */
const forgettable = {
  settled: `state <> 'pending' and settled_at < ${longAgo}`,
  disabled: `state = 'pending' and due_at < ${longAgo} and webhook_id in (select webhook_id from webhooks where disabled_at is not null)`,
  removed: `webhook_id in (
    with recursive known (id) as (
      select min(webhook_id) from webhook_deliveries
      union all
      select (select min(webhook_id) from webhook_deliveries where webhook_id > known.id) from known where known.id is not null
    )
    select id from known where not exists (select 1 from webhooks where webhooks.webhook_id = known.id))`,
} as const;
/** Why deliveries may be forgotten. */
export const pruningReasons = Object.keys(forgettable) as (keyof typeof forgettable)[];

/** Deliveries as merchants see them, and how they come and go. How they are sent is in `DeliveryQueue`. */
@Injectable()
export class DeliveryStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Makes a delivery of each of these events to each webhook that is told about it, in the transaction that numbers them:
   * so an event has its deliveries once, whoever dies when. A webhook whose receiver is gone gets none.
   */
  async enqueue(tx: Tx, { after, last }: NumberedEvents): Promise<void> {
    await tx.rows(
      `insert into webhook_deliveries (delivery_id, webhook_id, sequence, type, occurred_at, data)
       select 'msg_' || replace(gen_random_uuid()::text, '-', ''), webhooks.webhook_id, event.sequence, event.type,
         coalesce(event.occurred_at, to_char(event.received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')), event.data
       from feed_events as event join webhooks on webhooks.merchant_id = event.merchant_id
       where event.sequence > $1 and event.sequence <= $2 and webhooks.disabled_at is null
         and (webhooks.event_types is null or event.type = any(webhooks.event_types))
       on conflict do nothing`,
      [after, last],
    );
  }

  /** Deliveries of a webhook, newest event first. The caller has checked whose webhook it is. */
  async ofWebhook(webhookId: string, { state, before, limit }: DeliveryQuery): Promise<StoredDelivery[]> {
    const rows = await this.dataSource.query<DeliveryRow[]>(
      `select ${columns} from webhook_deliveries
       where webhook_id = $1 and ($2::text is null or state = $2) and ($3::bigint is null or sequence < $3) order by sequence desc limit $4`,
      [webhookId, state ?? null, before ?? null, limit],
    );
    return rows.map(fromRow);
  }

  /**
   * Has a delivery sent again, and tried as often as a new one, also where its webhook is disabled. An attempt that is under
   * way loses its lease: what comes of it says nothing of this one. Undefined where the webhook has none of that id. The
   * caller has checked whose webhook it is.
   */
  async askFor(webhookId: string, deliveryId: string): Promise<StoredDelivery | undefined> {
    return this.outbox.transaction(async (tx) => {
      const rows = await tx.rows<DeliveryRow>(
        `update webhook_deliveries set state = 'pending', asked_for = true, series_attempts = 0, series_started_at = statement_timestamp(),
           due_at = statement_timestamp(), settled_at = null, lease_id = null, leased_until = null
         where webhook_id = $1 and delivery_id = $2 returning ${columns}`,
        [webhookId, deliveryId],
      );
      return rows.map(fromRow)[0];
    });
  }

  /**
   * Gives up what has waited so many days for a webhook that is not disabled, at most `limit`; resolves to how many. A
   * receiver that answers nobody is tried one delivery at a time: more events than that come in, and the rest would wait
   * for their first attempt for ever, and fill the database of all merchants.
   */
  async giveUp(afterDays: number, limit: number): Promise<number> {
    return this.outbox.transaction(async (tx) => {
      const givenUp = await tx.rows(
        `update webhook_deliveries set state = 'failed', settled_at = statement_timestamp(), asked_for = false, lease_id = null, leased_until = null
         where delivery_id in (
           select delivery_id from webhook_deliveries
           where state = 'pending' and series_started_at < ${longAgo} and (leased_until is null or leased_until <= statement_timestamp())
             and webhook_id in (select webhook_id from webhooks where disabled_at is null)
           limit $2 for update skip locked
         ) returning delivery_id`,
        [afterDays, limit],
      );
      return givenUp.length;
    });
  }

  /** Forgets deliveries that may be forgotten for this reason, at most `limit`; resolves to how many. */
  async prune(reason: keyof typeof forgettable, retentionDays: number, limit: number): Promise<number> {
    return this.outbox.transaction(async (tx) => {
      const pruned = await tx.rows(
        `delete from webhook_deliveries where delivery_id in (
           select delivery_id from webhook_deliveries where ${forgettable[reason]} limit $2 for update skip locked
         ) and $1::int > 0 returning delivery_id`,
        [retentionDays, limit],
      );
      return pruned.length;
    });
  }
}

const knownFailures: ReadonlySet<string> = new Set(deliveryFailure.options);

function fromRow(row: DeliveryRow): StoredDelivery {
  const failure = row.last_failure;
  return {
    deliveryId: row.delivery_id,
    sequence: Number(row.sequence),
    type: row.type,
    state: row.state,
    attempts: row.attempts,
    createdAt: row.created_at,
    dueAt: row.due_at,
    lastAttemptAt: row.last_attempt_at ?? undefined,
    lastStatus: row.last_status ?? undefined,
    lastFailure: failure !== null && knownFailures.has(failure) ? (failure as DeliveryFailure) : undefined,
    settledAt: row.settled_at ?? undefined,
  };
}

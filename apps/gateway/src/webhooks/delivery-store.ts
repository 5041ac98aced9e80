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
   * Has a delivery sent again, and tried as often as a new one, also where its webhook is disabled. Undefined where the
   * webhook has none of that id. The caller has checked whose webhook it is.
   */
  async askFor(webhookId: string, deliveryId: string): Promise<StoredDelivery | undefined> {
    return this.outbox.transaction(async (tx) => {
      const rows = await tx.rows<DeliveryRow>(
        `update webhook_deliveries set state = 'pending', asked_for = true, series_attempts = 0, due_at = clock_timestamp(), settled_at = null
         where webhook_id = $1 and delivery_id = $2 returning ${columns}`,
        [webhookId, deliveryId],
      );
      return rows.map(fromRow)[0];
    });
  }

  /**
   * Forgets deliveries that were settled so many days ago, at most `limit`; resolves to how many. Those of a webhook that is
   * disabled are forgotten after the same time, for they may wait for ever; of one that was removed, at once.
   */
  async prune(retentionDays: number, limit: number): Promise<number> {
    return this.outbox.transaction(async (tx) => {
      const pruned = await tx.rows(
        `delete from webhook_deliveries where delivery_id in (
           select delivery_id from webhook_deliveries as delivery left join webhooks using (webhook_id)
           where (delivery.state <> 'pending' and delivery.settled_at < clock_timestamp() - make_interval(days => $1))
             or webhooks.webhook_id is null
             or (webhooks.disabled_at is not null and delivery.due_at < clock_timestamp() - make_interval(days => $1))
           limit $2 for update of delivery skip locked
         ) returning delivery_id`,
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

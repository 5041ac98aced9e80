import { Outbox } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import type { AttemptVerdict } from './attempt-verdict.js';

/** A delivery that this replica alone may attempt until its lease is over. */
export interface ClaimedDelivery {
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly leaseId: string;
  readonly url: string;
  readonly type: string;
  readonly occurredAt: string;
  readonly data: string;
  /** Which attempt it is of those that a new delivery, or one that was asked for again, has: from 1. */
  readonly attempt: number;
  /** Whether the webhook's last attempt was not taken. */
  readonly failing: boolean;
  /** The wrapped secrets to sign with, the newest first. */
  readonly wrappedSecrets: readonly string[];
}

/** How much may be claimed. */
export interface ClaimLimits {
  /** Whether of webhooks that fail, or of those that do not. */
  readonly failing: boolean;
  /** Of one webhook, with what is under way. */
  readonly perWebhook: number;
  readonly limit: number;
  /** What is under way on this replica, by webhook. */
  readonly underWay: ReadonlyMap<string, number>;
  readonly leaseSeconds: number;
}

interface ClaimedRow {
  readonly delivery_id: string;
  readonly webhook_id: string;
  readonly lease_id: string;
  readonly url: string;
  readonly type: string;
  readonly occurred_at: string;
  readonly data: string;
  readonly series_attempts: number;
  readonly failing: boolean;
  readonly secret: string;
  readonly previous_secret: string | null;
}

/** How much is due and was not taken yet. */
export interface DueDeliveries {
  readonly deliveries: number;
  /** How long the oldest of them is due, in seconds. */
  readonly oldestSeconds: number;
}

/**
 * The deliveries that are due, shared by all replicas. A claim is a lease: who dies with it loses it, and the delivery is
 * attempted by another. All by the database's clock, so that replicas whose clocks differ agree.
 */
/** As far as `due` counts for one webhook: a metric must not read a long backlog at every scrape. */
const DUE_COUNT_MAX = 10_000;

@Injectable()
export class DeliveryQueue {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /** Claims what is due, of each webhook in turn, so that the backlog of one cannot fill all places. */
  async claim({ failing, perWebhook, limit, underWay, leaseSeconds }: ClaimLimits): Promise<ClaimedDelivery[]> {
    return this.outbox.transaction(async (tx) => {
      const rows = await tx.rows<ClaimedRow>(
        `with due as (
           select one.delivery_id, one.due_at, webhook_id, row_number() over (partition by webhook_id order by one.due_at) + coalesce(under_way.deliveries, 0) as nth
           from webhooks left join unnest($3::text[], $4::int[]) as under_way (webhook_id, deliveries) using (webhook_id)
           cross join lateral (
             select delivery_id, due_at from webhook_deliveries as delivery
             where delivery.webhook_id = webhooks.webhook_id and state = 'pending' and due_at <= statement_timestamp()
               and (leased_until is null or leased_until <= statement_timestamp()) and (webhooks.disabled_at is null or asked_for)
             order by due_at limit $1 for update skip locked
           ) as one
           where (webhooks.failing_since is not null) = $5
             -- Or each claim would read through everything that waits for a webhook that is disabled.
             and (webhooks.disabled_at is null or exists (
               select 1 from webhook_deliveries as asked where asked.webhook_id = webhooks.webhook_id and asked.state = 'pending' and asked.asked_for
             ))
         ), chosen as (
           select delivery_id from due where nth <= $1 order by nth, due_at limit $2
         )
         update webhook_deliveries as delivery set lease_id = gen_random_uuid(), leased_until = statement_timestamp() + make_interval(secs => $6)
         from chosen, webhooks where delivery.delivery_id = chosen.delivery_id and webhooks.webhook_id = delivery.webhook_id
         returning delivery.delivery_id, delivery.webhook_id, lease_id, url, type, occurred_at, data, series_attempts, failing_since is not null as failing,
           secret, case when previous_secret_until > statement_timestamp() then previous_secret end as previous_secret`,
        [perWebhook, limit, [...underWay.keys()], [...underWay.values()], failing, leaseSeconds],
      );
      return rows.map(fromRow);
    });
  }

  /** Writes down what an attempt came to; false where its lease was over and another has the delivery now. */
  async settle({ deliveryId, webhookId, leaseId }: ClaimedDelivery, verdict: AttemptVerdict): Promise<boolean> {
    const { state, status, failure, waitSeconds, disables } = verdict;
    return this.outbox.transaction(async (tx) => {
      const settled = await tx.rows(
        `update webhook_deliveries set state = $3, attempts = attempts + 1, series_attempts = series_attempts + 1, last_attempt_at = statement_timestamp(),
           last_status = $4, last_failure = $5, due_at = statement_timestamp() + make_interval(secs => coalesce($6::float8, 0)), lease_id = null, leased_until = null,
           settled_at = case when $3 = 'pending' then null else statement_timestamp() end, asked_for = asked_for and $3 = 'pending'
         where delivery_id = $1 and lease_id = $2 returning delivery_id`,
        [deliveryId, leaseId, state, status ?? null, failure ?? null, waitSeconds ?? null],
      );
      if (settled.length === 0) return false;
      if (state === 'delivered') {
        await tx.rows('update webhooks set failing_since = null, disabled_at = null where webhook_id = $1 and (failing_since is not null or disabled_at is not null)', [webhookId]);
      } else {
        await tx.rows(
          `update webhooks set failing_since = coalesce(failing_since, statement_timestamp()), disabled_at = case when $2 then coalesce(disabled_at, statement_timestamp()) else disabled_at end
           where webhook_id = $1 and (failing_since is null or ($2 and disabled_at is null))`,
          [webhookId, disables],
        );
      }
      return true;
    });
  }

  /** Gives a claim back as if it had never been. */
  async release({ deliveryId, leaseId }: ClaimedDelivery): Promise<void> {
    await this.dataSource.query('update webhook_deliveries set lease_id = null, leased_until = null where delivery_id = $1 and lease_id = $2', [deliveryId, leaseId]);
  }

  /** How much is due, counted up to 10,000 for each webhook. The oldest of each is the first in its index. */
  async due(): Promise<DueDeliveries> {
    const rows = await this.dataSource.query<{ deliveries: number; seconds: number }[]>(
      `select coalesce(sum(due.deliveries), 0)::int as deliveries,
         coalesce(extract(epoch from statement_timestamp() - min(due.first)), 0)::float8 as seconds
       from webhooks cross join lateral (
         select count(*) as deliveries, min(due_at) as first from (
           select due_at from webhook_deliveries
           where webhook_deliveries.webhook_id = webhooks.webhook_id and state = 'pending' and due_at <= statement_timestamp()
             and (webhooks.disabled_at is null or asked_for)
           order by due_at limit $1
         ) as counted
       ) as due`,
      [DUE_COUNT_MAX],
    );
    return { deliveries: rows[0]!.deliveries, oldestSeconds: rows[0]!.seconds };
  }
}

function fromRow(row: ClaimedRow): ClaimedDelivery {
  return {
    deliveryId: row.delivery_id,
    webhookId: row.webhook_id,
    leaseId: row.lease_id,
    url: row.url,
    type: row.type,
    occurredAt: row.occurred_at,
    data: row.data,
    attempt: row.series_attempts + 1,
    failing: row.failing,
    wrappedSecrets: [row.secret, ...(row.previous_secret === null ? [] : [row.previous_secret])],
  };
}

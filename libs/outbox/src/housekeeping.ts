import type { DataSource } from 'typeorm';
import { emptyNextSlot, INBOX_RETENTION_DAYS } from './inbox-slots.js';

/**
 * How much waits in an outbox, for metrics: how many events, and how old the oldest is in seconds (0 if there is none).
 */
export interface OutboxLag {
  /** Counted up to `OUTBOX_COUNT_MAX`: a metric must not read a long backlog from end to end at every scrape. */
  readonly events: number;
  readonly oldestSeconds: number;
}

/** As far as `outboxLag` counts. */
export const OUTBOX_COUNT_MAX = 10_000;

/** Reads how much waits in the outbox. Positions ascend with time, so the oldest event is found by the primary key. */
export async function outboxLag(dataSource: DataSource): Promise<OutboxLag> {
  const rows = await dataSource.query<{ events: number; seconds: number }[]>(
    `select (select count(*)::int from (select from outbox_events limit $1) as counted) as events,
       coalesce(extract(epoch from statement_timestamp() -
         (select created_at from outbox_events order by position limit 1)), 0)::float8 as seconds`,
    [OUTBOX_COUNT_MAX],
  );
  return { events: rows[0]!.events, oldestSeconds: rows[0]!.seconds };
}

const BATCH = 10_000;

/**
 * Removes inbox entries past their retention: the partition of the coming day as a whole, and in batches what the
 * version before wrote to its table. Ends between two batches once `stopped` says so.
 */
export async function pruneInbox(dataSource: DataSource, stopped: () => boolean = () => false): Promise<void> {
  for (let removed = BATCH; removed === BATCH && !stopped(); ) {
    const [, count] = await dataSource.query<[unknown, number]>(
      `delete from inbox_events where ctid = any(array(
         select ctid from inbox_events
         where received_at < statement_timestamp() - make_interval(days => $1) limit $2))`,
      [INBOX_RETENTION_DAYS, BATCH],
    );
    removed = count;
  }
  if (!stopped()) await emptyNextSlot(dataSource);
}

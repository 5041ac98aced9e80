import type { DataSource } from 'typeorm';

/**
 * How long an inbox remembers an event, in days. A duplicate can come as late as the retry ladder and a broker that was
 * away can hold it; what comes later still meets the unique indexes behind the inbox.
 */
export const INBOX_RETENTION_DAYS = 14;

/** How much waits in an outbox, for metrics: how many events, and how old the oldest is in seconds (0 where there is none). */
export interface OutboxLag {
  readonly events: number;
  readonly oldestSeconds: number;
}

/** Reads how much waits in the outbox. */
export async function outboxLag(dataSource: DataSource): Promise<OutboxLag> {
  const rows = await dataSource.query<{ events: number; seconds: number }[]>(
    `select count(*)::int as events, coalesce(extract(epoch from clock_timestamp() - min(created_at)), 0)::float8 as seconds from outbox_events`,
  );
  return { events: rows[0]!.events, oldestSeconds: rows[0]!.seconds };
}

const BITE = 10_000;

/** Forgets inbox entries past their retention, in bites, so that no backlog can outlast the statement timeout. */
export async function pruneInbox(dataSource: DataSource): Promise<void> {
  for (let forgotten = BITE; forgotten === BITE; ) {
    const [, count] = await dataSource.query<[unknown, number]>(
      `delete from inbox_events where ctid = any(array(
         select ctid from inbox_events where received_at < clock_timestamp() - make_interval(days => $1) limit $2))`,
      [INBOX_RETENTION_DAYS, BITE],
    );
    forgotten = count;
  }
}

import type { ServiceName } from '@latchkey/contracts';
import type { OutgoingEvent } from '@latchkey/messaging';
import type { DataSource, QueryRunner } from 'typeorm';
import { OUTBOX_COUNT_MAX, type OutboxLag } from './housekeeping.js';
import type { Destination } from './parked-destinations.js';

/** One publication that waits in the outbox. */
export interface OutboxRow {
  readonly position: string;
  readonly event_id: string;
  readonly type: string;
  readonly copy_for: ServiceName | null;
  readonly correlation_id: string | null;
  readonly data: unknown;
  readonly created_at: Date;
}

/** Which rows to take: those of one destination, or those of all but some. */
export type RowsToTake = { readonly rowsEachMax: number } & (
  | { readonly only: Destination; readonly skipped?: undefined }
  | { readonly skipped: readonly Destination[]; readonly only?: undefined }
);

const columns = 'position, event_id, type, copy_for, correlation_id, data, created_at';

/**
 * The destinations are found by jumping through the index from one to the next, so that a backlog of any length costs one
 * step. Of each the rows that are due longest are taken; locked rows are another replica's.
 */
const TAKE_FROM_ALL = `
  with recursive destinations as (
    (select type, coalesce(copy_for, '') as copy from outbox_events order by type, coalesce(copy_for, '') limit 1)
    union all
    select next.type, next.copy from destinations cross join lateral (
      select type, coalesce(copy_for, '') as copy from outbox_events
      where (type, coalesce(copy_for, '')) > (destinations.type, destinations.copy)
      order by type, coalesce(copy_for, '') limit 1
    ) as next
  )
  select taken.* from destinations cross join lateral (
    select ${columns} from outbox_events
    where type = destinations.type and coalesce(copy_for, '') = destinations.copy and available_at <= statement_timestamp()
    order by available_at limit $1 for update skip locked
  ) as taken
  where (destinations.type, destinations.copy) not in (select * from unnest($2::text[], $3::text[]))`;

/** Due or not: a probe that found no row of a destination knows that there is none. */
const TAKE_FROM_ONE = `
  select ${columns} from outbox_events
  where type = $2 and coalesce(copy_for, '') = $3
  order by available_at limit $1 for update skip locked`;

/** Locks rows until the end of the transaction, at most `rowsEachMax` of each destination. Answers them in the order of their positions. */
export async function takeRows(runner: QueryRunner, { only, skipped = [], rowsEachMax }: RowsToTake): Promise<OutboxRow[]> {
  const result = only
    ? await runner.query(TAKE_FROM_ONE, [rowsEachMax, only.type, only.copyFor ?? ''], true)
    : await runner.query(TAKE_FROM_ALL, [rowsEachMax, skipped.map(({ type }) => type), skipped.map(({ copyFor }) => copyFor ?? '')], true);
  const rows = result.records as OutboxRow[];
  return rows.sort((one, other) => Number(BigInt(one.position) - BigInt(other.position)));
}

/** Whether any row of a destination is there, due or not, locked by another replica or not. */
export async function hasRows(runner: QueryRunner, { type, copyFor }: Destination): Promise<boolean> {
  const sql = `select from outbox_events where type = $1 and coalesce(copy_for, '') = $2 limit 1`;
  return (await runner.query(sql, [type, copyFor ?? ''], true)).records.length > 0;
}

/** How much waits for one destination. It counts as far as `outboxLag` does. */
export async function lagOf(dataSource: DataSource, { type, copyFor }: Destination): Promise<OutboxLag> {
  const rows = await dataSource.query<OutboxLag[]>(
    `select count(*)::int as events,
       coalesce(round(extract(epoch from statement_timestamp() - min(created_at))), 0)::float8 as "oldestSeconds"
     from (
       select created_at from outbox_events where type = $1 and coalesce(copy_for, '') = $2
       order by available_at limit $3
     ) as counted`,
    [type, copyFor ?? '', OUTBOX_COUNT_MAX],
  );
  return rows[0]!;
}

/** Deletes what was published. */
export async function deleteRows(runner: QueryRunner, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await runner.query('delete from outbox_events where position = any($1::bigint[])', [rows.map(({ position }) => position)]);
}

/** Has rows that were not taken wait before they are tried again: 0.5 s, then twice as long each time, up to 4 s. */
export async function postponeRows(runner: QueryRunner, rows: readonly OutboxRow[]): Promise<void> {
  if (rows.length === 0) return;
  await runner.query(
    `update outbox_events set attempts = attempts + 1,
       available_at = statement_timestamp() + make_interval(secs => power(2, least(attempts, 3)) / 2)
     where position = any($1::bigint[])`,
    [rows.map(({ position }) => position)],
  );
}

/** A row as the event that it is. */
export function eventOf(row: OutboxRow, service: ServiceName): OutgoingEvent {
  return {
    specversion: '1.0',
    id: row.event_id,
    source: `/latchkey/${service}`,
    type: row.type,
    time: row.created_at.toISOString(),
    ...(row.correlation_id === null ? {} : { correlationid: row.correlation_id }),
    data: row.data,
    ...(row.copy_for === null ? {} : { copyFor: row.copy_for }),
  };
}

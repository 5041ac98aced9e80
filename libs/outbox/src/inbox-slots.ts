import type { DataSource } from 'typeorm';
import { inTransaction } from './in-transaction.js';

/**
 * How long an inbox remembers an event, in days. A duplicate can come as late as the retry ladder and a broker that was
 * away can hold it; what comes later still meets the unique indexes behind the inbox.
 */
export const INBOX_RETENTION_DAYS = 14;

/** The days that are remembered, the present one, and the next one, whose partition is empty when it begins. */
export const INBOX_SLOTS = INBOX_RETENTION_DAYS + 2;

/**
 * A truncation waits for the handlers that work, and those that come wait behind it: it gives up soon and comes again.
 */
const TRUNCATE_LOCK_TIMEOUT = '250ms';

/** The number of a UTC day, in SQL. */
const dayOf = (time: string): string => `((${time} at time zone 'utc')::date - date '2000-01-01')`;

/**
 * A query for the slots in which an event is marked now: that of the day, and for an hour after midnight that of the
 * day before as well. Two replicas on both sides of midnight then meet in the same partition, whose primary key
 * decides. An hour is longer than any transaction: the server ends an idle one after 15 s and a statement after 30 s.
 */
export function slotsOf(time: string): string {
  return `
    select (day % ${INBOX_SLOTS})::smallint as slot
    from generate_series(${dayOf(`(${time} - interval '1 hour')`)}, ${dayOf(time)}) as day`;
}

/**
 * A query for the slots that may hold an event of the time `oldest`, or any event if that is null. The day before it is
 * one of them, because the clocks of two databases differ.
 */
export function earlierSlotsOf(time: string, oldest: string): string {
  const today = dayOf(time);
  const first = `least(${dayOf(`(${oldest} - interval '1 day')`)}, ${today} - 1)`;
  return `
    select (day % ${INBOX_SLOTS})::smallint as slot
    from generate_series(
      greatest(${today} - ${INBOX_SLOTS - 1}, case when ${oldest} is not null then ${first} end), ${today}) as day`;
}

/**
 * Empties the partition of the coming day, which holds what is older than the retention. A partition that could not be
 * emptied in time remembers its events for another round, and no event is lost.
 */
export async function emptyNextSlot(dataSource: DataSource): Promise<void> {
  await inTransaction(dataSource, async (runner) => {
    const next = `select (${dayOf('statement_timestamp()')} + 1) % ${INBOX_SLOTS} as slot`;
    const slot = async (): Promise<number> => ((await runner.query(next)) as { slot: number }[])[0]!.slot;
    const before = await slot();
    const table = `received_events_${String(before).padStart(2, '0')}`;
    // Most of the time it is empty already: then no lock is taken that anything could wait for.
    if (((await runner.query(`select from ${table} limit 1`)) as unknown[]).length === 0) return;
    await runner.query(`set local lock_timeout = '${TRUNCATE_LOCK_TIMEOUT}'`);
    await runner.query(`lock table ${table} in access exclusive mode`);
    // Midnight may have passed while it waited: the partition would be the one in use.
    if ((await slot()) === before) await runner.query(`truncate ${table}`);
  });
}

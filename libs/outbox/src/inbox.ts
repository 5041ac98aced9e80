import { type Delivery, done, type Verdict } from '@latchkey/messaging';
import { earlierSlotsOf, slotsOf } from './inbox-slots.js';
import type { Outbox } from './outbox.js';
import type { Tx } from './tx.js';

/** The verdicts of those deliveries that are not simply done. */
export type Exceptions<D extends Delivery> = ReadonlyMap<D, Verdict>;

/**
 * Handles a batch of events in one transaction, each event once: what was handled before (by this replica or another)
 * is `done` without being handed to `work` again. A delivery that `work` wants retried or quarantined is not
 * remembered.
 *
 * When anything throws, nothing of the batch is committed, and the transport tries the events one by one.
 */
export async function handleOnce<D extends Delivery>(
  outbox: Outbox,
  deliveries: readonly D[],
  work: (tx: Tx, fresh: readonly D[]) => Promise<Exceptions<D>>,
): Promise<readonly Verdict[]> {
  return outbox.transaction(async (tx) => {
    const fresh = await remember(tx, deliveries);
    const exceptions = fresh.length > 0 ? await work(tx, fresh) : new Map<D, Verdict>();
    await forget(tx, [...exceptions.keys()]);
    return deliveries.map((delivery) => exceptions.get(delivery) ?? done);
  });
}

/**
 * Marks events in the partition of the day (and for an hour after midnight in the one before too), and returns those
 * that were marked in none. A rival's mark that is not committed yet is met by the primary key and waited for. Marks of
 * earlier days, and those of the version before in its own table, were committed long before, so the snapshot shows
 * them. They are looked up by lists of keys, one pass of each index: a lookup for each event would cost five times as
 * much.
 */
const MARK_AS_RECEIVED = `
  with slots as materialized (${slotsOf('statement_timestamp()')}),
  looked_in as materialized (
    ${earlierSlotsOf('statement_timestamp()', '$3::timestamptz')}
    except select slot from slots
  ),
  received as (
    select source, event_id from unnest($1::text[], $2::text[]) as received (source, event_id)
  ),
  marked as (
    insert into received_events (source, event_id, slot)
    select source, event_id, slot from received cross join slots
    order by source, event_id, slot
    on conflict do nothing
    returning source, event_id
  ),
  earlier as materialized (
    select source, event_id from received_events
    where source = any ($1::text[]) and event_id = any ($2::text[]) and slot = any (array(select slot from looked_in))
    union all
    select source, event_id from inbox_events where source = any ($1::text[]) and event_id = any ($2::text[])
  )
  select source, event_id from marked
  where (source, event_id) not in (select source, event_id from earlier)
  group by source, event_id having count(*) = (select count(*) from slots)`;

/**
 * Marks the events as received and returns those that were not before. Ids are inserted in order, so that two replicas
 * with overlapping batches wait for each other instead of deadlocking. Of twins within the batch the first is fresh.
 */
async function remember<D extends Delivery>(tx: Tx, deliveries: readonly D[]): Promise<D[]> {
  const byKey = new Map<string, D>();
  for (const delivery of deliveries) {
    const key = keyOf(delivery.event.source, delivery.event.id);
    if (!byKey.has(key)) byKey.set(key, delivery);
  }
  const unique = [...byKey.values()];
  const inserted = await tx.rows<{ source: string; event_id: string }>(
    MARK_AS_RECEIVED,
    [unique.map(({ event }) => event.source), unique.map(({ event }) => event.id), oldestOf(unique)],
  );
  const fresh = new Set(inserted.map((row) => keyOf(row.source, row.event_id)));
  return unique.filter(({ event }) => fresh.has(keyOf(event.source, event.id)));
}

async function forget(tx: Tx, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await tx.rows(
    `delete from received_events using unnest($1::text[], $2::text[]) as given (source, event_id)
     where received_events.source = given.source and received_events.event_id = given.event_id
       and slot = any (array(${slotsOf('transaction_timestamp()')} union ${slotsOf('statement_timestamp()')}))`,
    [deliveries.map(({ event }) => event.source), deliveries.map(({ event }) => event.id)],
  );
}

/**
 * The time of the oldest event, if all are Latchkey's own. An outbox gives an event the same time whenever it publishes
 * it, so that an earlier delivery of it cannot have been received before. A merchant may give an event another time
 * when it sends it again, and has it looked for in every partition.
 */
function oldestOf(deliveries: readonly Delivery[]): Date | null {
  const times = deliveries.map(({ event: { source, time } }) =>
    source.startsWith('/latchkey/') ? Date.parse(time ?? '') : NaN,
  );
  const oldestMs = Math.min(...times);
  return Number.isNaN(oldestMs) ? null : new Date(oldestMs);
}

function keyOf(source: string, id: string): string {
  return JSON.stringify([source, id]);
}

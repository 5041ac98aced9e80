import { type Delivery, done, type Verdict } from '@latchkey/messaging';
import type { Outbox } from './outbox.js';
import type { Tx } from './tx.js';

/** The verdicts of those deliveries that are not simply done. */
export type Exceptions<D extends Delivery> = ReadonlyMap<D, Verdict>;

/**
 * Handles a batch of events in one transaction, each event once: what was handled before (by this replica or another) is
 * `done` without being handed to `work` again. A delivery that `work` wants retried or quarantined is not remembered.
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
    `insert into inbox_events (source, event_id)
     select source, event_id from unnest($1::text[], $2::text[]) as received (source, event_id)
     order by source, event_id
     on conflict do nothing
     returning source, event_id`,
    [unique.map(({ event }) => event.source), unique.map(({ event }) => event.id)],
  );
  const fresh = new Set(inserted.map((row) => keyOf(row.source, row.event_id)));
  return unique.filter(({ event }) => fresh.has(keyOf(event.source, event.id)));
}

async function forget(tx: Tx, deliveries: readonly Delivery[]): Promise<void> {
  if (deliveries.length === 0) return;
  await tx.rows(
    `delete from inbox_events using unnest($1::text[], $2::text[]) as given (source, event_id)
     where inbox_events.source = given.source and inbox_events.event_id = given.event_id`,
    [deliveries.map(({ event }) => event.source), deliveries.map(({ event }) => event.id)],
  );
}

function keyOf(source: string, id: string): string {
  return JSON.stringify([source, id]);
}

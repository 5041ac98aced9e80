import { eventually } from '@latchkey/kits';
import type { Issuer } from './issuer.js';

const LOCK = 4242;

/**
 * Forces an interleaving: `first` is held right before its commit, when all its statements have run; only then does
 * `second` begin, and `first` goes on as soon as the second waits for something or has ended. `table` is one that `first`
 * writes.
 */
export async function holdCommit<First, Second>(
  issuer: Issuer,
  table: string,
  first: () => Promise<First>,
  second: () => Promise<Second>,
): Promise<[First, Second]> {
  const holder = issuer.service.dataSource.createQueryRunner();
  await issuer.rows(`create function hold_commit() returns trigger language plpgsql as
    $$ begin perform pg_advisory_xact_lock(${LOCK}); return null; end $$`);
  await issuer.rows(`create constraint trigger hold_commit after insert or update on ${table} deferrable initially deferred
    for each row execute function hold_commit()`);
  try {
    await holder.query(`select pg_advisory_lock(${LOCK})`);
    const one = first();
    await eventually(async () => {
      const held = await issuer.rows(`select 1 from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted`);
      if (held.length === 0) throw new Error('the first transaction has not reached its commit');
    });
    let ended = false;
    const other = second().finally(() => (ended = true));
    await eventually(async () => {
      const waiting = await issuer.rows(`select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`);
      if (!ended && waiting.length < 2) throw new Error('the second transaction neither waits nor has ended');
    });
    await holder.query(`select pg_advisory_unlock(${LOCK})`);
    return await Promise.all([one, other]);
  } finally {
    await holder.query('select pg_advisory_unlock_all()');
    await holder.release();
    await issuer.rows(`drop trigger hold_commit on ${table}`);
    await issuer.rows('drop function hold_commit');
  }
}

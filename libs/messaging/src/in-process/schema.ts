import { EVENTS_EXCHANGE } from '@latchkey/contracts';
import type { Pool, PoolClient } from 'pg';
import { COPIES_EXCHANGE } from '../topology.js';

/**
 * What made the bus's database, step by step; a step that was released is never edited. Deleted rows are the normal
 * state of a queue, so the table is vacuumed by count instead of by share: after a backlog it would otherwise wait for a
 * fifth of the largest size it ever had, and every fetch would step over the dead rows.
 *
 * `headers` is `json`, not `jsonb`: it is kept letter for letter, and takes a NUL that `jsonb` and `text` refuse.
 */
const steps: readonly string[] = [
  `create table queued_messages (
     id bigint generated always as identity primary key,
     service text not null,
     state text not null default 'in' check (state in ('in', 'retry', 'dlq')),
     attempt integer not null default 1 check (attempt >= 1),
     available_at timestamptz not null default now(),
     message_id text not null,
     routing_key text not null,
     content_type text not null,
     headers json not null,
     body bytea not null,
     reason text,
     quarantined_at timestamptz,
     created_at timestamptz not null default now(),
     check ((state = 'dlq') = (quarantined_at is not null))
   ) with (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
           autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000);
   create index queued_messages_in on queued_messages (service, id) where state = 'in';
   create index queued_messages_retry on queued_messages (service, available_at) where state = 'retry';
   create index queued_messages_dlq on queued_messages (service, quarantined_at, id) where state = 'dlq'`,
  `alter table queued_messages rename column routing_key to type;
   alter table queued_messages add column exchange text not null default '${EVENTS_EXCHANGE}';
   alter table queued_messages alter column exchange drop default;
   update queued_messages set exchange = '${COPIES_EXCHANGE}'
    where (service = 'cookie' and type = 'device.registered.v1') or (service = 'token-issuer' and type = 'device.revoked.v1')
       or (service = 'gateway' and type in ('device.registered.v1', 'device.revoked.v1', 'purchase.completed.v1', 'purchase.refunded.v1', 'token.revoked.v1'))`,
];

/** The database was written by a version that this program does not know. */
export class NewerBusError extends Error {
  override readonly name = 'NewerBusError';
}

/** Two processes that start at once (the second is the quarantine command) must not both run a step. */
const migrationLock = 7_306_122_001;

/** Brings the bus's database to this version, in one transaction. Refuses one that a newer version has written. */
export async function migrate(pool: Pool): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await applyMissingSteps(client);
    await client.query('commit');
    client.release();
  } catch (error) {
    // The connection goes with its transaction: a rollback over a broken connection would hide why it broke.
    client.release(true);
    throw error;
  }
}

async function applyMissingSteps(client: PoolClient): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [migrationLock]);
  await client.query(
    'create table if not exists bus_migrations (version integer primary key, applied_at timestamptz not null default now())',
  );
  const { rows } = await client.query<{ version: number }>('select coalesce(max(version), 0) as version from bus_migrations');
  const version = rows[0]!.version;
  if (version > steps.length) {
    throw new NewerBusError(`the bus's database is of version ${version}, this program knows ${steps.length}: start the newer one`);
  }
  for (const [index, step] of steps.entries()) {
    if (index < version) continue;
    await client.query(step);
    await client.query('insert into bus_migrations (version) values ($1)', [index + 1]);
  }
}

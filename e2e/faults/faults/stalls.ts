import { setTimeout as delay } from 'node:timers/promises';
import { queueDeclare } from '../system/method-finder.js';
import type { Replica } from '../system/replica.js';
import type { System } from '../system/system.js';
import { services } from '../system/target.js';
import type { Fault } from './fault.js';
import { pause, within } from './pause.js';

const MOMENT_TIMEOUT_MS = 20_000;
/** How long the frozen process stands still: longer than any lock of it may last. */
const FROZEN_MS = 40_000;
/** A replica gives up on a lock after two to three seconds, and the server on an idle transaction after fifteen. */
const LOCK_WAIT_SECONDS_MAX = 10;
const IDLE_TRANSACTION_SECONDS_MAX = 30;

interface Locked {
  readonly idleSeconds: number | null;
  readonly waitSeconds: number | null;
}

/** One of two token issuers stands still while it has rows locked. The other one goes on. */
export const frozenReplica: Fault = {
  name: 'replica-frozen-with-locks',
  heavy: true,
  async strike(system, random) {
    await pause(random, 50, 900);
    const replica = random.pick(system.of('token-issuer'));
    const before = replica.strikes();
    await replica.inside.pull({ lever: 'freeze-with-join-locked', options: { nth: random.between(1, 3) } });
    if (!(await within(MOMENT_TIMEOUT_MS, () => replica.strikes() > before))) {
      await replica.inside.release('freeze-with-join-locked');
      return 0;
    }
    try {
      return await watchOthers(system);
    } finally {
      replica.nudge('SIGCONT');
      await system.ready();
    }
  },
};

async function watchOthers(system: System): Promise<number> {
  const untilMs = performance.now() + FROZEN_MS;
  let [longestIdle, longestWait] = [0, 0];
  const issuedBefore = await lastToken(system);
  while (performance.now() < untilMs) {
    const [locked] = await system.sql<Locked & Record<string, unknown>>('token-issuer', LOCKS);
    longestIdle = Math.max(longestIdle, locked?.idleSeconds ?? 0);
    longestWait = Math.max(longestWait, locked?.waitSeconds ?? 0);
    await delay(250);
  }
  const issued = (await lastToken(system)) - issuedBefore;
  if (longestWait > LOCK_WAIT_SECONDS_MAX) throw new Error(`a statement waited ${longestWait} s for a lock of a frozen process`);
  if (longestIdle > IDLE_TRANSACTION_SECONDS_MAX) throw new Error(`a frozen process had rows locked for ${longestIdle} s`);
  if (issued === 0) throw new Error('no token was issued while one of two issuers was frozen');
  return longestIdle > 0 ? 1 : 0;
}

const LOCKS = `
  select max(extract(epoch from statement_timestamp() - state_change)) filter (where state = 'idle in transaction')::float8 as "idleSeconds",
    max(extract(epoch from statement_timestamp() - query_start)) filter (where wait_event_type = 'Lock')::float8 as "waitSeconds"
  from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;

async function lastToken(system: System): Promise<number> {
  const [row] = await system.sql<{ n: number }>('token-issuer', 'select count(*)::int as n from tokens');
  return row!.n;
}

/** A process starts, and the broker never answers what it declares. It says that it lives, stops when told, and tries again. */
export const hangingDeclare: Fault = {
  name: 'declare-hangs',
  async strike(system, random) {
    const replica = random.pick(system.of(random.pick(services)));
    try {
      return await startTwice(system, replica);
    } finally {
      system.proxies.broker.stopCutting();
      system.proxies.broker.resetSilent();
    }
  },
};

async function startTwice(system: System, replica: Replica): Promise<number> {
  await startHanging(system, replica);
  const live = await within(30_000, async () => (await fetch(`${replica.url}/health/live`)).status === 200);
  const end = await replica.signal('SIGTERM');
  if (end?.exitCode !== 0) {
    throw new Error(`${replica.name} ended with ${end?.exitCode ?? end?.signal} on SIGTERM while a declaration hung`);
  }
  if (!live) throw new Error(`${replica.name} did not answer /health/live while a declaration hung`);
  // Its successor meets the same, and has to come up by itself: another connection is answered.
  await startHanging(system, replica);
  system.proxies.broker.stopCutting();
  await replica.ready();
  return 2;
}

async function startHanging({ proxies }: System, replica: Replica): Promise<void> {
  await replica.ready();
  proxies.broker.swallowFrom(queueDeclare, 1);
  await replica.signal('SIGKILL');
  if (!(await within(MOMENT_TIMEOUT_MS, () => proxies.broker.cutsLeft === 0))) throw new Error(`${replica.name} declared nothing`);
}

export const stalls: readonly Fault[] = [frozenReplica, hangingDeclare];

import { setTimeout as delay } from 'node:timers/promises';
import type { History } from '../history.js';
import type { System } from '../system/system.js';
import type { Random } from '../random.js';
import { withoutClimbing } from './climbs.js';
import type { Fault } from './fault.js';
import { pause, within } from './pause.js';
import { type Customer, Visitor } from './visitor.js';

/** Longer than the first two rungs of the real ladder: from the third on a message waits for five minutes. */
const LONG_MS = 65_000;
/** What waited for a part is done so long after its return at the latest. */
const HEALED_WITHIN_MS = 10_000;
const READ_ONLY_TRANSACTION = '25006';

/** The database is away for more than a minute. What waited for it is handled when it is back, by no rung of the ladder. */
export const databaseAwayForLong: Fault = {
  name: 'database-away-for-long',
  heavy: true,
  async strike(system, random) {
    await pause(random, 50, 900);
    return withoutClimbing(system, async () => {
      await system.database.server.kill();
      const died = (await system.database.server.isRunning()) ? 0 : 1;
      await delay(LONG_MS);
      await system.database.server.revive();
      await system.ready();
      return died;
    });
  },
};

/** The licence server's database is away, and a device is revoked meanwhile. */
export const licenseDatabaseAway: Fault = {
  name: 'license-database-away-with-a-revocation',
  heavy: true,
  async strike(system, random, history) {
    const visitor = Visitor.begin(system, history, random);
    try {
      const [early, late] = [await visitor.buy(), await visitor.buy()];
      const proxy = system.proxies.databases['license-server'];
      await withoutClimbing(system, async () => {
        proxy.shut();
        try {
          await revoke(visitor, early);
          await delay(LONG_MS);
        } finally {
          proxy.reopen();
        }
        await system.ready();
      });
      await expectBitten(visitor, early, late);
      return 1;
    } finally {
      await visitor.end();
    }
  },
};

async function revoke(visitor: Visitor, { held }: Customer): Promise<void> {
  const outcome = await visitor.actor.persist(() => visitor.actor.revoke(held.device.deviceId));
  if (outcome.kind !== 'ok') throw new Error(`the device was not revoked: ${JSON.stringify(outcome)}`);
}

/**
 * The time counts from when a later revocation has bitten: then the licence server handles revocations, however slow the
 * machine is, and the one that waited has no more excuse.
 */
async function expectBitten(visitor: Visitor, early: Customer, late: Customer): Promise<void> {
  await revoke(visitor, late);
  const refused = async ({ held }: Customer): Promise<boolean> => {
    const { outcome } = await visitor.actor.license(held);
    return outcome.kind === 'refused';
  };
  if (!(await within(120_000, () => refused(late)))) throw new Error('a revocation after healing does not bite');
  await delay(HEALED_WITHIN_MS);
  const { outcome } = await visitor.actor.license(early.held);
  if (outcome.kind === 'ok') throw new Error('a device that was revoked during the outage is served after healing');
}

/** All databases take no writes for a while, as those of a standby that is about to become the primary. */
export const databaseReadOnly: Fault = {
  name: 'database-read-only',
  async strike(system, random, history) {
    await pause(random, 50, 900);
    const sinceMs = performance.timeOrigin + performance.now();
    const struck = await withoutClimbing(system, () => readOnly(system, random));
    const bare = bareFaults(history, sinceMs);
    if (bare.length > 0) throw new Error(`${bare.length} calls were answered 500, as by a fault: ${bare[0]}`);
    return struck;
  },
};

async function readOnly(system: System, random: Random): Promise<number> {
  const issuer = system.of('token-issuer')[0]!;
  const isReady = async (): Promise<boolean> => (await fetch(`${issuer.url}/health/ready`)).status === 200;
  let refuses = false;
  let noticed = false;
  try {
    await setting(system, 'alter system set default_transaction_read_only = on');
    refuses = await within(10_000, () => refusesWrites(system));
    noticed = await within(20_000, async () => !(await isReady()));
    await pause(random, 3_000, 8_000);
  } finally {
    await setting(system, 'alter system reset default_transaction_read_only');
  }
  await system.ready();
  if (refuses && !noticed) throw new Error('the issuer says that it is ready, and its database takes no writes');
  return refuses ? 1 : 0;
}

async function setting(system: System, statement: string): Promise<void> {
  await system.sql('cookie', statement);
  await system.sql('cookie', 'select pg_reload_conf()');
}

async function refusesWrites(system: System): Promise<boolean> {
  return system.sql('cookie', 'create table faults_read_only ()').then(
    () => system.sql('cookie', 'drop table faults_read_only').then(() => false),
    (error: { code?: unknown }) => error.code === READ_ONLY_TRANSACTION,
  );
}

/** Answers with status 500 since a moment: a part that is away is 503, and may be tried again. */
function bareFaults(history: History, sinceMs: number): string[] {
  return history
    .entries()
    .filter(({ startedMs, outcome }) => startedMs >= sinceMs && outcome.kind === 'unknown' && outcome.why.startsWith('500'))
    .map(({ operation, outcome }) => `${operation.type} ${JSON.stringify(outcome)}`);
}

export const outages: readonly Fault[] = [databaseAwayForLong, licenseDatabaseAway, databaseReadOnly];

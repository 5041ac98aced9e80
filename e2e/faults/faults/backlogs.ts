import type { System } from '../system/system.js';
import type { Fault } from './fault.js';
import { within } from './pause.js';
import { Visitor } from './visitor.js';

const BACKLOG = 100_000;
/** Fewer than a queue may ever have, see the checker of bounds. */
const ROUTABLE = 4_000;
const CUSTOMERS = 3;
/** How long an event may take past a backlog. It takes milliseconds; behind the backlog it took minutes. */
const OVERTAKES_WITHIN_MS = 60_000;
/** A copy for a service that takes none: the broker returns it. */
const UNROUTABLE = `type = 'token.issued.v1' and copy_for = 'cookie'`;

/** A hundred thousand events that no queue takes, all due for an hour, lie before everything that the issuer publishes. */
export const outboxBacklog: Fault = {
  name: 'backlog-for-one-destination',
  heavy: true,
  async strike(system, random, history) {
    const visitor = Visitor.begin(system, history, random);
    try {
      await system.sql(
        'token-issuer',
        `insert into outbox_events (type, copy_for, data, created_at, available_at)
         select 'token.issued.v1', 'cookie', '{}', now() - interval '1 hour', now() - interval '1 hour'
         from generate_series(1, ${BACKLOG})`,
      );
      for (let nth = 0; nth < CUSTOMERS; nth += 1) {
        const { held } = await visitor.buy();
        const told = await within(OVERTAKES_WITHIN_MS, () => standsInFeed(system, held.tokenId));
        const [waiting] = await system.sql<{ n: number }>('token-issuer', `select count(*)::int as n from outbox_events where ${UNROUTABLE}`);
        if (!told) throw new Error(`the event of a token waits behind ${waiting!.n} events of another destination`);
        if (waiting!.n < BACKLOG) throw new Error(`${BACKLOG - waiting!.n} events that no queue takes have left the outbox`);
      }
      await stopCleanly(system, 'token-issuer');
      return CUSTOMERS;
    } finally {
      await system.sql('token-issuer', `delete from outbox_events where ${UNROUTABLE}`);
      await visitor.end();
    }
  },
};

/** A process with an outbox full of events that can be published is stopped. It ends in time, and each event comes once. */
export const stopWithFullOutbox: Fault = {
  name: 'stop-with-a-full-outbox',
  async strike(system, random) {
    const merchant = `backlog-${random.between(1, 1_000_000)}`;
    await system.sql(
      'license-server',
      `insert into outbox_events (type, data)
       select 'license.denied.v1', json_build_object('merchantId', '${merchant}', 'kids', json_build_array(), 'code', 'invalid-token',
         'at', '2026-01-01T00:00:00Z', 'tokenId', 'tok_' || n)
       from generate_series(1, ${ROUTABLE}) as n`,
    );
    await stopCleanly(system, 'license-server');
    const told = async (): Promise<number[]> => {
      const [row] = await system.sql<{ events: number; once: number }>(
        'gateway',
        `select count(*)::int as events, count(distinct data)::int as once from feed_events where merchant_id = '${merchant}'`,
      );
      return [row!.events, row!.once];
    };
    const all = await within(120_000, async () => (await told())[1] === ROUTABLE);
    const [events, once] = await told();
    if (!all || events !== once) throw new Error(`of ${ROUTABLE} events ${once} are in the feed, in ${events} rows`);
    return 1;
  },
};

async function standsInFeed(system: System, tokenId: string): Promise<boolean> {
  const rows = await system.sql('gateway', `select 1 from feed_events where type = 'token.issued.v1' and data like '%"${tokenId}"%' limit 1`);
  return rows.length > 0;
}

/** The process limits its own stop and then ends with 1, so that the exit code tells it on a machine of any speed. */
async function stopCleanly(system: System, service: 'token-issuer' | 'license-server'): Promise<void> {
  const replica = system.of(service)[0]!;
  const end = await replica.signal('SIGTERM');
  if (end?.exitCode !== 0) throw new Error(`${replica.name} ended with ${end?.exitCode ?? end?.signal} on SIGTERM over a full outbox`);
  await replica.ready();
}

export const backlogs: readonly Fault[] = [outboxBacklog, stopWithFullOutbox];

import { setTimeout as delay } from 'node:timers/promises';
import type { System } from '../system/system.js';
import type { Fault } from './fault.js';
import { type Service, services } from '../system/target.js';
import { Middleman, underNewId } from '../system/middleman.js';
import { pause } from './pause.js';

const publishers: readonly Service[] = ['cookie', 'device-registry', 'token-issuer', 'license-server'];

/**
 * Makes a service publish each event one to five times, under its own id and under new ones, each at a moment of its own
 * within two seconds: its outbox gets the copies, and none is due before its time. What comes out is what relays do that
 * die and repeat themselves, and the order is anybody's.
 */
const multiply = (seed: number): string => `
  create sequence if not exists faults_copies minvalue 0 start 0;
  create or replace function faults_multiply() returns trigger language plpgsql as $$
  declare
    chance bigint := abs(hashint8extended(new.position, ${seed}) % 1000000);
    copies int := chance % 5;
  begin
    new.available_at := statement_timestamp() + make_interval(secs => (chance % 2000) / 1000.0);
    if pg_trigger_depth() = 1 then
      for nth in 1..copies loop
        perform nextval('faults_copies');
        insert into outbox_events (event_id, type, copy_for, correlation_id, data)
        values (case when (chance / (2 ^ nth)::bigint) % 2 = 0 then new.event_id else gen_random_uuid()::text end, new.type, new.copy_for, new.correlation_id, new.data);
      end loop;
    end if;
    return new;
  end $$;
  drop trigger if exists faults_multiply on outbox_events;
  create trigger faults_multiply before insert on outbox_events for each row execute function faults_multiply()`;

const multiplyNoMore = `
  drop trigger if exists faults_multiply on outbox_events;
  drop function if exists faults_multiply`;

/** Far above the time between two events. */
const SHUFFLED_WITHIN_MS = 1_000;

/**
 * Every message one to five times under old and new ids: what checkouts publish, and what services do. And every one of
 * them, originals and copies, reaches its handlers in any order.
 */
export const duplicatesAndShuffle: Fault = {
  name: 'duplicates-and-shuffle',
  repeatsEvents: true,
  async strike(system, random) {
    const middleman = await Middleman.begin(system, (routingKey) => routingKey.startsWith('purchase.') && routingKey !== 'purchase.rejected.v1');
    let published = 0;
    const later: Promise<void>[] = [];
    middleman.onSeen((message) => {
      for (let copies = random.between(0, 4); copies > 0; copies -= 1) {
        const copy = random.chance(0.5) ? underNewId(message) : message;
        later.push(pause(random, 0, 1_500).then(async () => void (published += (await middleman.publish(copy)) ? 1 : 0)));
      }
    });
    try {
      for (const service of services) {
        await system.pullInAll(service, { lever: 'shuffle', options: { gatherMs: SHUFFLED_WITHIN_MS, seed: random.between(1, 1_000_000) } });
      }
      for (const service of publishers) await system.sql(service, multiply(random.between(1, 1_000_000)));
      await delay(8_000);
    } finally {
      middleman.lookAway();
      for (const service of services) await system.releaseInAll(service, 'shuffle');
      for (const service of publishers) await system.sql(service, multiplyNoMore);
      await Promise.allSettled(later);
      await middleman.end();
    }
    const overtook = await overtakenIn(system);
    // Repeated and in order is half of it.
    return overtook === 0 ? 0 : published + overtook + (await copiesOf(system));
  },
};

/** How many events were handled before one that came earlier. */
async function overtakenIn(system: System): Promise<number> {
  const counts = await Promise.all(services.flatMap((service) => system.of(service).map(({ inside }) => inside.counts())));
  return counts.reduce((sum, { overtook = 0 }) => sum + overtook, 0);
}

async function copiesOf(system: System): Promise<number> {
  let copies = 0;
  for (const service of publishers) {
    const [row] = await system.sql<{ copies: string }>(service, `select case when is_called then last_value + 1 else 0 end as copies from faults_copies`);
    copies += Number(row!.copies);
    await system.sql(service, 'drop sequence faults_copies');
  }
  return copies;
}

import type { Random } from '../random.js';
import type { Fault } from './fault.js';
import { services } from '../system/target.js';
import type { System } from '../system/system.js';
import { pause } from './pause.js';

/** `kill -9` of processes of any service, at random moments, sometimes of both replicas at once. */
export const killService: Fault = {
  name: 'kill-service',
  async strike(system, random) {
    let died = 0;
    for (let round = 0; round < 3; round += 1) {
      await pause(random, 50, 900);
      const replicas = system.of(random.pick(services));
      const victims = random.chance(0.25) ? replicas : [random.pick(replicas)];
      const ends = await Promise.all(victims.map((replica) => replica.signal('SIGKILL')));
      died += ends.filter((end) => end?.signal === 'SIGKILL').length;
    }
    await system.ready();
    return died;
  },
};

/** `kill -9` of the broker; it comes back at once. */
export const killBroker: Fault = {
  name: 'kill-broker',
  strike: (system, random) => loseBroker(system, random, 0),
};

/** The broker is away for so long that outboxes fill, callers give up, and reconnecting has become slow. */
export const brokerAwayForLong: Fault = {
  name: 'broker-away-for-long',
  heavy: true,
  strike: (system, random) => loseBroker(system, random, 45_000),
};

/** `kill -9` of the database; it comes back at once, or after the services have met its absence. */
export const killDatabase: Fault = {
  name: 'kill-database',
  async strike(system, random) {
    await pause(random, 50, 900);
    await system.database.server.kill();
    const died = (await system.database.server.isRunning()) ? 0 : 1;
    if (random.chance(0.5)) await pause(random, 500, 3_000);
    await system.database.server.revive();
    await system.ready();
    return died;
  },
};

async function loseBroker(system: System, random: Random, awayMs: number): Promise<number> {
  await pause(random, 50, 900);
  await system.broker.server.kill();
  const died = (await system.broker.server.isRunning()) ? 0 : 1;
  await pause(random, awayMs, awayMs);
  await system.broker.server.revive();
  await system.ready();
  return died;
}

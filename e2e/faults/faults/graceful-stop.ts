import { type Fault, services } from '../system/target.js';
import type { System } from '../system/system.js';
import { pause } from './pause.js';

/**
 * SIGTERM under load. The process ends by itself, with exit code 0, and nothing that it had handled comes again: what it
 * had in hand is settled before it goes. Messages that it never looked at may go to another replica.
 */
export const gracefulStop: Fault = {
  name: 'graceful-stop',
  async strike(system, random) {
    let stopped = 0;
    for (let round = 0; round < 3; round += 1) {
      await pause(random, 50, 900);
      const replica = random.pick(system.of(random.pick(services)));
      const before = await handledAgain(system);
      const end = await replica.signal('SIGTERM');
      if (end?.exitCode !== 0) throw new Error(`${replica.name} ended with ${end?.exitCode ?? end?.signal} on SIGTERM`);
      stopped += 1;
      await replica.ready();
      const again = (await handledAgain(system)) - before;
      if (again > 0) throw new Error(`${again} messages came again although ${replica.name} had handled them before it stopped`);
    }
    return stopped;
  },
};

/** Over all processes that live. Those of a stopped process are gone with it, so that it can only become too small. */
async function handledAgain(system: System): Promise<number> {
  const counts = await Promise.all(system.replicas().map((replica) => replica.inside.counts().catch(() => ({}) as Record<string, number>)));
  return counts.reduce((sum, count) => sum + (count['handled-again'] ?? 0), 0);
}

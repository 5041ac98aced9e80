import type { Replica } from '../system/replica.js';
import type { Fault } from './fault.js';
import { services } from '../system/target.js';
import { pause } from './pause.js';

/**
 * SIGTERM under load. The process ends by itself, with exit code 0, and the broker has nothing to deliver again: what the
 * process was given is handled and settled before it goes.
 */
export const gracefulStop: Fault = {
  name: 'graceful-stop',
  async strike(system, random) {
    let stopped = 0;
    for (let round = 0; round < 3; round += 1) {
      await pause(random, 50, 900);
      const replica = random.pick(system.of(random.pick(services)));
      const others = system.of(replica.service).filter((other) => other !== replica);
      const before = await redelivered(others);
      const end = await replica.signal('SIGTERM');
      if (end?.exitCode !== 0) throw new Error(`${replica.name} ended with ${end?.exitCode ?? end?.signal} on SIGTERM`);
      stopped += 1;
      await replica.ready();
      // Its successor counts from nothing.
      const again = (await redelivered(others)) - before + (await redelivered([replica]));
      if (again > 0) throw new Error(`${again} messages were delivered again after ${replica.name} had stopped cleanly`);
    }
    return stopped;
  },
};

async function redelivered(replicas: readonly Replica[]): Promise<number> {
  const counts = await Promise.all(replicas.map((replica) => replica.inside.counts()));
  return counts.reduce((sum, { redelivered: count = 0 }) => sum + count, 0);
}

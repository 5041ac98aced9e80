import type { ReadyFault } from '../faults/run.js';
import { presentRelease, type Release } from '../faults/system/replica.js';
import type { System } from '../faults/system/system.js';
import { type Service } from '../faults/system/target.js';

/**
 * The order of docs/upgrading.md: the callee before the caller, the consumer of events before their publisher. A rollback
 * takes the opposite order.
 */
export const upgradeOrder: readonly Service[] = ['license-server', 'cookie', 'device-registry', 'token-issuer', 'gateway'];

/** What else happens to the system once the present release has migrated its databases. For negative controls. */
export type Sabotage = (system: System) => Promise<void>;

/**
 * An upgrade and its rollback, as steps that happen under load. It is harder than docs/upgrading.md asks: after the first
 * step every service has replicas of both releases, so that each pair of services speaks across releases. Each replica
 * stops with SIGTERM and starts again as the other release over the same databases and queues.
 */
export function upgradeSteps(system: System, previous: Release, sabotage?: Sabotage): readonly ReadyFault[] {
  const backwards = [...upgradeOrder].reverse();
  return [
    step('a-new-replica-beside-each-old-one', async () => {
      const changed = await change(system, upgradeOrder, [0], presentRelease);
      await sabotage?.(system);
      return changed;
    }),
    step('the-old-replicas-go', () => change(system, upgradeOrder, others(system), presentRelease)),
    step('an-old-replica-beside-each-new-one', () => change(system, backwards, others(system), previous)),
    step('the-new-replicas-go', () => change(system, backwards, [0], previous)),
  ];
}

function step(name: string, work: () => Promise<number>): ReadyFault {
  return { name, strike: work };
}

/** All but the first replica of a service. */
function others(system: System): readonly number[] {
  return system.of('gateway').map(({ index }) => index).slice(1);
}

/** One service after the other; resolves to how many replicas were changed. */
async function change(system: System, order: readonly Service[], indexes: readonly number[], to: Release): Promise<number> {
  let changed = 0;
  for (const service of order) {
    for (const replica of system.of(service).filter(({ index }) => indexes.includes(index))) {
      await replica.become(to);
      changed += 1;
    }
  }
  return changed;
}

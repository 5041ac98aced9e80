import type { Fault } from './fault.js';
import { type Service, services } from '../system/target.js';
import { within } from './pause.js';

/** How long a failpoint waits for its moment. Without load it never comes. */
const MOMENT_TIMEOUT_MS = 6_000;

/** Processes end themselves at the very instruction that is worst, again and again. */
function failpoint(name: string, lever: string, where: readonly Service[]): Fault {
  return {
    name,
    async strike(system, random) {
      let struck = 0;
      for (let round = 0; round < 3; round += 1) {
        const replica = random.pick(system.of(random.pick(where)));
        await replica.ready();
        const before = replica.strikes();
        await replica.inside.pull({ lever, options: { nth: random.between(1, 4) } });
        if (await within(MOMENT_TIMEOUT_MS, () => replica.strikes() > before)) struck += replica.strikes() - before;
        else await replica.inside.release(lever).catch(() => undefined);
      }
      await system.ready();
      return struck;
    },
  };
}

const writers = services.filter((service) => service !== 'gateway');

export const failpoints: readonly Fault[] = [
  failpoint('die-after-commit-before-ack', 'die-before-ack', services),
  failpoint('die-after-confirm-before-outbox-delete', 'die-before-outbox-delete', writers),
  failpoint('die-before-commit', 'die-before-commit', services),
  failpoint('die-after-admission-before-licence', 'die-after-admission', ['license-server']),
  failpoint('die-after-binding-before-answer', 'die-before-answer', ['device-registry']),
];

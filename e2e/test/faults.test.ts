import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { describeWhere, hasDocker } from '@latchkey/kits';
import { allFaults } from '../faults/faults/all-faults.js';
import { reportOf } from '../faults/report.js';
import { readied, run } from '../faults/run.js';
import { System } from '../faults/system/system.js';

// Processes and servers are killed and come back here, on machines that may be busy.
jest.setTimeout(240_000);

const SEED = 20_261_123;
/** Those that between them kill each kind of part, and are quick about it. `npm run faults` does the others. */
const SHORT = ['kill-service', 'die-after-commit-before-ack', 'kill-broker', 'broker-connections-reset', 'kill-database'];

describeWhere(hasDocker(), 'Docker', 'Latchkey while it is being hurt (short; npm run faults does more)', () => {
  let system: System;

  beforeAll(async () => {
    system = await System.start();
  }, 180_000);
  afterAll(async () => {
    await system?.close();
  }, 60_000);

  it(`keeps every invariant, seed ${SEED}`, async () => {
    const faults = allFaults.filter(({ name }) => SHORT.includes(name));
    expect(faults).toHaveLength(SHORT.length);
    const { history, verdicts } = await run(system, {
      seed: SEED,
      rounds: 1,
      actors: 4,
      faults: readied(faults, system),
      heal: () => system.ready(),
      drainBoundMs: 60_000,
      calmMs: 1_500,
    });
    const { lines, good } = reportOf(SEED, history, verdicts, `npm run faults -- --seed ${SEED} --actors 4 --faults ${SHORT.join(',')}`);
    expect({ good, lines }).toEqual({ good: true, lines });
  });
});

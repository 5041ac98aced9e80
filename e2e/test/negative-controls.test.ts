import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { describeWhere, hasDocker } from '@latchkey/kits';
import { invariants, notTried } from '../faults/checker/verdict.js';
import { acts } from '../faults/controls/acts.js';
import { Stage } from '../faults/controls/stage.js';
import { System } from '../faults/system/system.js';

jest.setTimeout(240_000);

/** What the twin is too short for: no token is old enough to be renewed, no rental is waited for, and no fault strikes. */
const NOT_IN_THE_TWIN = ['renewals', 'superseded tokens', 'rentals that are over', 'over a fault'];

describe('the negative controls', () => {
  it('break every invariant', () => {
    const broken = new Set(acts.flat().map(({ invariant }) => invariant));
    expect([...broken].sort()).toEqual(Object.keys(invariants).sort());
  });
});

describeWhere(hasDocker(), 'Docker', 'the checkers, watching a system whose guarantees are broken on purpose', () => {
  let system: System;
  let stage: Stage;

  beforeAll(async () => {
    system = await System.start();
    stage = await Stage.open(system);
  }, 180_000);
  afterAll(async () => {
    await stage?.close();
    await system?.close();
  }, 60_000);

  it('find nothing wrong while nothing is broken, and have looked', async () => {
    const verdicts = await stage.twin();
    expect(verdicts.flatMap(({ broken }) => broken)).toEqual([]);
    expect(verdicts.flatMap(notTried).filter((aspect) => !NOT_IN_THE_TWIN.includes(aspect))).toEqual([]);
  });

  it.each(acts.map((act) => [act.map(({ invariant }) => invariant).join(', '), act] as const))('notice what is broken: %s', async (_invariants, act) => {
    const missed = (await stage.perform(act)).filter(({ noticed }) => !noticed);
    expect(missed.map(({ control, found }) => ({ missed: control.name, found }))).toEqual([]);
  });
});

import { entriesOf, succeeded } from '../faults/checker/reading.js';
import { triedInAll } from '../faults/checker/verdict.js';
import { reportOf } from '../faults/report.js';
import { run } from '../faults/run.js';
import type { Release } from '../faults/system/replica.js';
import { System } from '../faults/system/system.js';
import { findPutAside } from './put-aside.js';
import { type Sabotage, upgradeSteps } from './upgrade.js';

/** A system that was broken on purpose may never drain. */
const DRAIN_BOUND_MS = { good: 90_000, sabotaged: 15_000 };

/** How an upgrade is tried. */
export interface UpgradeOptions {
  readonly previous: Release;
  readonly seed: number;
  readonly actors: number;
  /** How long actors work before, between and after the steps. */
  readonly calmMs: number;
  /** How many replicas each service has; two unless told. */
  readonly replicasEach?: number;
  readonly sabotage?: Sabotage;
  readonly file?: string;
  readonly tell?: (line: string) => void;
  /** Called when there is a system, for a program that is stopped and has to take it away. */
  readonly onSystem?: (system: System) => void;
}

/** What came of it. */
export interface UpgradeResult {
  readonly lines: readonly string[];
  readonly good: boolean;
  /** What all processes have logged. */
  readonly prints: string;
}

/** Starts the previous release, upgrades it under load, and rolls back. The checkers of the fault suite judge the run. */
export async function runUpgrade(options: UpgradeOptions): Promise<UpgradeResult> {
  const { previous, seed, actors, sabotage } = options;
  const system = await System.start({ release: previous, replicasEach: options.replicasEach });
  options.onSystem?.(system);
  try {
    const { history, final, verdicts } = await run(system, {
      ...options,
      rounds: 1,
      faults: upgradeSteps(system, previous, sabotage),
      inOrder: true,
      heal: () => system.ready(),
      drainBoundMs: sabotage ? DRAIN_BOUND_MS.sabotaged : DRAIN_BOUND_MS.good,
    });
    const putAside = findPutAside(history, final).map((line) => `PUT ASIDE  ${line}`);
    const report = reportOf(seed, history, verdicts, `npm run upgrade-suite -- --seed ${seed} --actors ${actors}`);
    // Aspects of an invariant that no upgrade endangers may stay untried: the fault suite sees to them.
    const judged = verdicts.every((verdict) => verdict.broken.length === 0 && triedInAll(verdict) > 0);
    const stepped = entriesOf(history, 'fault').every(succeeded);
    return { lines: [...putAside, ...report.lines], good: judged && stepped && putAside.length === 0, prints: system.prints() };
  } finally {
    await system.close();
  }
}

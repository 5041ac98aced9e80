import { reportOf } from '../faults/report.js';
import { run } from '../faults/run.js';
import type { Release } from '../faults/system/replica.js';
import { System } from '../faults/system/system.js';
import { findPutAside } from './put-aside.js';
import { type Sabotage, upgradeSteps } from './upgrade.js';

const DRAIN_BOUND_MS = 60_000;

/** How an upgrade is tried. */
export interface UpgradeOptions {
  readonly previous: Release;
  readonly seed: number;
  readonly actors: number;
  /** How long actors work before, between and after the steps. */
  readonly calmMs: number;
  readonly sabotage?: Sabotage;
  readonly file?: string;
  readonly tell?: (line: string) => void;
}

/** What came of it. */
export interface UpgradeResult {
  readonly lines: readonly string[];
  readonly good: boolean;
  /** What all processes have logged. */
  readonly prints: string;
}

/** Starts the previous release, upgrades it under load, rolls back, and judges what was seen by the fault suite's checkers. */
export async function runUpgrade(options: UpgradeOptions): Promise<UpgradeResult> {
  const { previous, seed, actors, sabotage } = options;
  const system = await System.start({ release: previous });
  try {
    const { history, final, verdicts } = await run(system, {
      ...options,
      rounds: 1,
      faults: upgradeSteps(system, previous, sabotage),
      inOrder: true,
      heal: () => system.ready(),
      drainBoundMs: DRAIN_BOUND_MS,
    });
    const putAside = findPutAside(history, final).map((line) => `PUT ASIDE  ${line}`);
    const report = reportOf(seed, history, verdicts, `npm run upgrade-suite -- --seed ${seed} --actors ${actors}`);
    const good = report.good && putAside.length === 0;
    return { lines: [...putAside, ...report.lines], good, prints: system.prints() };
  } finally {
    await system.close();
  }
}

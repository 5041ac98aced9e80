import type { Invariant } from '../checker/verdict.js';
import type { System } from '../system/system.js';
import type { Service } from '../system/target.js';
import type { Actor } from '../workload/actor.js';
import type { Workload } from '../workload/workload.js';

/** Where a control is performed. */
export interface Scene {
  readonly system: System;
  readonly workload: Workload;
  /** One who may do what the control needs done, recorded in the history. */
  readonly actor: Actor;
}

/** A guarantee broken on purpose, and what makes that show. */
export interface Control {
  readonly name: string;
  readonly invariant: Invariant;
  /** What the checker has to say, among other things. */
  readonly finding: RegExp;
  sabotage(system: System): Promise<void>;
  provoke(scene: Scene): Promise<void>;
  restore(system: System): Promise<void>;
}

/** A sabotage that is one lever in every replica of one service. */
export function byLever(service: Service, lever: string, options: Readonly<Record<string, unknown>> = {}): Pick<Control, 'sabotage' | 'restore'> {
  return {
    sabotage: (system) => system.pullInAll(service, { lever, options }),
    restore: (system) => system.releaseInAll(service, lever),
  };
}

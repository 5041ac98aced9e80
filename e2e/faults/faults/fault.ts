import type { History } from '../history.js';
import type { Random } from '../random.js';
import type { System } from '../system/system.js';

/** A way to hurt a running system. */
export interface Fault {
  /** kebab-case, as the report prints it. */
  readonly name: string;
  /** Too slow or too greedy for the short run. */
  readonly heavy?: boolean;
  /** Publishes events again under ids of their own: a feed of what was said cannot tell that they are the same. */
  readonly repeatsEvents?: boolean;
  /**
   * Hurts for a while; resolves when the hurt has ended (healing may still go on). Random choices come from `random`
   * alone. Resolves to how many times it struck, as seen from outside. A fault that makes purchases, devices or licences
   * of its own does so through `history.run`, or the checkers would take them for forgeries.
   */
  strike(system: System, random: Random, history: History): Promise<number>;
}

import type { Fault } from '../system/target.js';

/** Every fault there is, in the order in which they are listed. */
export const allFaults: readonly Fault[] = [];

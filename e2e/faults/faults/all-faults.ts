import type { Fault } from '../system/target.js';
import { failpoints } from './failpoints.js';
import { gracefulStop } from './graceful-stop.js';
import { brokerAwayForLong, killBroker, killDatabase, killService } from './kill-servers.js';
import { networkFaults } from './network.js';

/** Every way to hurt the system that the suite knows. */
export const allFaults: readonly Fault[] = [killService, killBroker, killDatabase, brokerAwayForLong, ...failpoints, gracefulStop, ...networkFaults];

import type { Fault } from './fault.js';
import { backlogs } from './backlogs.js';
import { refundBursts } from './bursts.js';
import { duplicatesAndShuffle } from './duplicates.js';
import { failpoints } from './failpoints.js';
import { databaseOutOfSpace, diskAlarm } from './full-disks.js';
import { gracefulStop } from './graceful-stop.js';
import { brokerAwayForLong, killBroker, killDatabase, killService } from './kill-servers.js';
import { networkFaults } from './network.js';
import { outages } from './outages.js';
import { poison } from './poison.js';
import { schemaDrift } from './schema-drift.js';
import { clockAnHourOff, hangingHandler, slowConsumerUnderSpike } from './slow-down.js';
import { stalls } from './stalls.js';
import { bindingRemoved, queueDeleted } from './topology.js';

/** Every way to hurt the system that the suite knows. */
export const allFaults: readonly Fault[] = [
  killService,
  killBroker,
  killDatabase,
  brokerAwayForLong,
  ...failpoints,
  gracefulStop,
  ...networkFaults,
  queueDeleted,
  bindingRemoved,
  hangingHandler,
  diskAlarm,
  databaseOutOfSpace,
  duplicatesAndShuffle,
  poison,
  schemaDrift,
  clockAnHourOff,
  slowConsumerUnderSpike,
  refundBursts,
  ...outages,
  ...stalls,
  ...backlogs,
];

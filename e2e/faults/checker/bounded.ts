import type { FinalState } from '../final-state.js';
import type { Entry } from '../history.js';
import type { ProcessMemory } from '../system/target.js';
import { Findings, type Verdict } from './verdict.js';

const MIB = 1024 * 1024;

/** What a process may hold at most, and how much more than before the first operation when all is over. */
export const memoryLimits = { rssBytesMax: 900 * MIB, growthBytesMax: 250 * MIB };
/** Deliveries that a service takes at most before it has settled some: its prefetch, as it configures it. */
const IN_FLIGHT_PER_CONSUMER_MAX = 400;
/** How many messages of one queue one operation may cause at most, duplicates and retries included, and what any run may. */
const backlogLimits = { perOperation: 20, least: 5_000 };

type Aspect = 'processes' | 'samples';

/** I6. No process grows without end, and no queue holds more than what was done can have caused. */
export function checkBounded(history: readonly Entry[], final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I6', ['processes', 'samples']);
  const before = new Map(final.baseline.memory.map((process) => [nameOf(process), process]));
  for (const process of final.samples.at(-1)?.memory ?? []) {
    findings.try('processes');
    const baseline = before.get(nameOf(process));
    const growth = process.rssBytes - (baseline?.rssBytes ?? process.rssBytes);
    if (growth > memoryLimits.growthBytesMax) findings.breach(`${nameOf(process)} holds ${mib(growth)} MiB more than before`);
  }
  const backlogMax = Math.max(backlogLimits.least, backlogLimits.perOperation * history.length);
  for (const { queues, memory } of final.samples) {
    findings.try('samples');
    for (const process of memory) {
      if (process.rssBytes > memoryLimits.rssBytesMax) findings.breach(`${nameOf(process)} held ${mib(process.rssBytes)} MiB`);
    }
    for (const { name, messages, unacknowledged, consumers } of queues) {
      if (messages > backlogMax) findings.breach(`queue ${name} held ${messages} messages, after ${history.length} operations`);
      // A consumer that has just gone may still be counted in the one figure and not in the other.
      const inFlightMax = IN_FLIGHT_PER_CONSUMER_MAX * Math.max(consumers, 2);
      if (unacknowledged > inFlightMax) findings.breach(`queue ${name} had ${unacknowledged} deliveries in flight to ${consumers} consumers`);
    }
  }
  return findings.verdict();
}

function nameOf({ service, replica }: ProcessMemory): string {
  return `${service} ${replica}`;
}

function mib(bytes: number): number {
  return Math.round(bytes / MIB);
}

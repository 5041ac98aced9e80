import type { FinalState } from '../final-state.js';
import { Findings, type Verdict } from './verdict.js';

/** I7. Every queue that was there before is there again, with no fewer consumers. */
export function checkConsumersBack(final: FinalState): Verdict {
  const findings = new Findings<'queues with consumers'>('I7', ['queues with consumers']);
  const now = new Map(final.queues.map((queue) => [queue.name, queue]));
  for (const before of final.baseline.queues) {
    // A process's own queue for answers goes with its connection, and has another name afterwards.
    if (before.name.startsWith('amq.')) continue;
    if (before.consumers > 0) findings.try('queues with consumers');
    const consumers = now.get(before.name)?.consumers;
    if (consumers === undefined) findings.breach(`queue ${before.name} is gone`);
    else if (consumers < before.consumers) findings.breach(`queue ${before.name} has ${consumers} consumers, and had ${before.consumers}`);
  }
  return findings.verdict();
}

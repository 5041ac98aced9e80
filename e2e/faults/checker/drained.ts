import type { FinalState } from '../final-state.js';
import { Findings, type Verdict } from './verdict.js';

/** Quarantine is where messages stay; everything else is on its way. */
const QUARANTINE = /\.dlq$/;

type Aspect = 'outboxes' | 'queues' | 'events';

/** I5. Within the bound after healing nothing is under way: no outbox, no queue, no retry rung, no delivery in flight holds anything. */
export function checkDrained(final: FinalState): Verdict {
  const findings = new Findings<Aspect>('I5', ['outboxes', 'queues', 'events']);
  findings.try('events', final.feed.length);
  if (final.drainedMs === null) findings.breach('something was still under way when the bound had passed');
  for (const [service, events] of Object.entries(final.outbox)) {
    findings.try('outboxes');
    if (events > 0) findings.breach(`the outbox of ${service} holds ${events} events`);
  }
  for (const { name, messages, unacknowledged } of final.queues) {
    if (QUARANTINE.test(name)) continue;
    findings.try('queues');
    if (messages > 0) findings.breach(`queue ${name} holds ${messages} messages`);
    if (unacknowledged > 0) findings.breach(`queue ${name} has ${unacknowledged} deliveries in flight`);
  }
  return findings.verdict();
}

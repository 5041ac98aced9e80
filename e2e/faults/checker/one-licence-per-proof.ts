import type { Entry } from '../history.js';
import { entriesOf, groupBy, succeeded } from './reading.js';
import { Findings, type Verdict } from './verdict.js';

const aspects = ['at once', 'later', 'across replicas', 'over a fault'] as const;
type Aspect = (typeof aspects)[number];

/** I9. Of all who presented one proof (thumbprint and `jti`), whenever and to whichever replica, one at most was given a licence. */
export function checkOneLicencePerProof(history: readonly Entry[]): Verdict {
  const faults = entriesOf(history, 'fault');
  // Without a fault in the history there is no restart that a mark could fail to survive.
  const findings = new Findings<Aspect>('I9', faults.length > 0 ? aspects : aspects.filter((aspect) => aspect !== 'over a fault'));
  const presented = [...entriesOf(history, 'license'), ...entriesOf(history, 'register')];
  for (const [proof, entries] of groupBy(presented, ({ operation }) => `${operation.deviceId} ${operation.proofId}`)) {
    if (entries.length < 2) continue;
    const [first, ...others] = [...entries].sort((one, other) => one.startedMs - other.startedMs);
    for (const other of others) {
      findings.try(other.startedMs < first!.endedMs ? 'at once' : 'later');
      if (other.operation.replica !== first!.operation.replica) findings.try('across replicas');
      if (faults.some((fault) => fault.startedMs < other.startedMs && fault.endedMs > first!.endedMs)) findings.try('over a fault');
    }
    const given = entries.filter(succeeded);
    if (given.length > 1) findings.breach(`proof ${proof} was worth ${given.length} licences`, ...given);
  }
  return findings.verdict();
}

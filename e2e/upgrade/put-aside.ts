import { entriesOf } from '../faults/checker/reading.js';
import type { FinalState } from '../faults/final-state.js';
import type { Entry } from '../faults/history.js';

/**
 * Messages in quarantine that one of the two releases put there although the other could have handled them, a line
 * each. The load itself gives no reason but one: a purchase that was stated twice with other content.
 */
export function findPutAside(history: readonly Entry[], { quarantined }: FinalState): readonly string[] {
  const ways = new Map<string, Set<string>>();
  for (const { operation } of entriesOf(history, 'purchase')) {
    const { terms } = operation;
    ways.set(terms.purchaseId, (ways.get(terms.purchaseId) ?? new Set()).add(JSON.stringify(terms)));
  }
  return quarantined
    .filter(({ type, purchaseId }) => type !== 'purchase.completed.v1' || (ways.get(purchaseId ?? '')?.size ?? 0) < 2)
    .map(({ queue, type, reason, messageId }) => `${queue} has ${type ?? 'a message without a type'} ${messageId ?? ''}: ${reason}`);
}

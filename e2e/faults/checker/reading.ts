import type { TokenRow } from '../final-state.js';
import type { Entry } from '../history.js';
import type { Operation } from '../operation.js';

/** An entry whose operation is known to be of this type. */
export type EntryOf<Type extends Operation['type']> = Entry & { readonly operation: Extract<Operation, { readonly type: Type }> };

/** The entries of one type of operation. */
export function entriesOf<Type extends Operation['type']>(history: readonly Entry[], type: Type): EntryOf<Type>[] {
  return history.filter((entry): entry is EntryOf<Type> => entry.operation.type === type);
}

/** Entries by some key of theirs. */
export function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}

/** Whether it was done, for all that anybody knows: an unknown operation may have been. */
export function mayHaveHappened({ outcome }: Entry): boolean {
  return outcome.kind !== 'refused';
}

/** Whether the operation was answered as done. */
export function succeeded({ outcome }: Entry): boolean {
  return outcome.kind === 'ok';
}

/** A text among the values of an answer, or undefined. */
export function valueOf({ outcome }: Entry, name: string): string | undefined {
  const value = outcome.kind === 'ok' ? outcome.value[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}

/** Whether a token was stopped before its time. Of one that had expired already nobody is told, for nobody takes it. */
export function wasStopped({ supersededMs, revokedMs, expiresMs }: TokenRow): boolean {
  return Math.min(supersededMs ?? Infinity, revokedMs ?? Infinity) < expiresMs;
}

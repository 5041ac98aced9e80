import type { Saying } from '@latchkey/contracts';
import { refuseIfLate } from '@latchkey/messaging';
import type { DataSource } from 'typeorm';
import { inTransaction } from './in-transaction.js';
import { Tx } from './tx.js';

/** SQLSTATEs after which the same transaction, begun anew, is likely to pass: deadlock, serialization, lock timeout. */
const transientStates = new Set(['40P01', '40001', '55P03']);
const TRANSACTION_ATTEMPTS_MAX = 4;

/** The only way into a transaction of a service: its effect and its events commit together. */
export class Outbox {
  private readonly listeners = new Set<() => void>();

  /** `says` names whom the service sends copies of its events to; what it does not name has none. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly says: readonly Saying[],
  ) {}

  /**
   * Runs `work` in one READ COMMITTED transaction and commits it together with the events that it appended. Deadlocks
   * are begun anew, so `work` must do nothing outside the transaction. Rolled back with `unavailable` where it is done on
   * behalf of a request whose asker no longer listens.
   */
  async transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.once(work);
      } catch (error) {
        if (attempt >= TRANSACTION_ATTEMPTS_MAX || !isTransient(error)) throw error;
        // Begun anew at once, it could take its first lock back before the other side got it, and deadlock again.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
      }
    }
  }

  /** Calls back after each commit that left events in the outbox. */
  onAppended(listener: () => void): void {
    this.listeners.add(listener);
  }

  /** Tells the relay that a statement of the service's own wrote to the outbox table. */
  appended(): void {
    for (const listener of this.listeners) listener();
  }

  private async once<T>(work: (tx: Tx) => Promise<T>): Promise<T> {
    let appended = 0;
    let committed = (): void => undefined;
    const result = await inTransaction(this.dataSource, async (runner) => {
      const tx = new Tx(runner, this.says);
      const result = await work(tx);
      appended = await tx.flush();
      committed = () => tx.committed();
      refuseIfLate();
      return result;
    });
    if (appended > 0) this.appended();
    committed();
    return result;
  }
}

/** Whether what failed is likely to pass when it is begun anew: deadlock, serialization or lock timeout. */
export function isTransient(error: unknown): boolean {
  return transientStates.has(sqlStateOf(error) ?? '');
}

/** The SQLSTATE of a failed query, or undefined where the error is none of the database's. */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, driverError } = error as { code?: unknown; driverError?: { code?: unknown } };
  const state = driverError?.code ?? code;
  return typeof state === 'string' ? state : undefined;
}

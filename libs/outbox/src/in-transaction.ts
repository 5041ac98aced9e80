import type { DataSource, QueryRunner } from 'typeorm';

/** What is used of a driver's client: ending it makes the pool discard it instead of handing it to the next caller. */
interface EndableClient {
  end(): Promise<void>;
}

/**
 * Runs `work` in one READ COMMITTED transaction on a connection of its own. The only place in Latchkey that takes a connection
 * for more than one statement.
 *
 * A connection whose rollback failed is closed, never given back: the transaction may still be open on it, and the next
 * caller's COMMIT would persist what was thrown away here.
 */
export async function inTransaction<T>(dataSource: DataSource, work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  const client = (await runner.connect()) as EndableClient;
  try {
    await runner.startTransaction('READ COMMITTED');
    const result = await work(runner);
    await runner.commitTransaction();
    return result;
  } catch (error) {
    if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => discard(client));
    throw error;
  } finally {
    await runner.release();
  }
}

function discard(client: EndableClient): void {
  // Not waited for: a server that does not answer does not answer the farewell either. The pool sees at once that it ends.
  void client.end().catch(() => undefined);
}

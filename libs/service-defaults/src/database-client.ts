import pg from 'pg';

/** What pg says of a query that was not answered within `query_timeout`. */
const TIMED_OUT = 'Query read timeout';

/**
 * A connection that ends itself when a query of it was not answered in time. pg only tells the caller, and the pool hands
 * the connection to the next one: whose statements would wait behind the old one, and run in its transaction.
 */
export class DatabaseClient extends pg.Client {
  override query(...args: unknown[]): never {
    const result = (super.query as (...given: unknown[]) => unknown).apply(this, args);
    // Queries with a callback come from the pool itself, which discards a connection whose query failed.
    if (result instanceof Promise) {
      result.catch((error: unknown) => {
        if (error instanceof Error && error.message === TIMED_OUT) void this.end().catch(() => undefined);
      });
    }
    return result as never;
  }
}

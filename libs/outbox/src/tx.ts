import type { EventContract, Saying, ServiceName } from '@latchkey/contracts';
import { currentCorrelationId } from '@latchkey/messaging';
import type { EntityManager, QueryRunner } from 'typeorm';
import type { z } from 'zod';

interface PendingEvent {
  readonly type: string;
  readonly correlationId: string | undefined;
  readonly data: unknown;
}

/**
 * A transaction under way, handed explicitly to everything that takes part in it. Events appended to it are written to
 * the outbox in one statement right before the commit, so that they go out if and only if the effect is there.
 */
export class Tx {
  private readonly pending: PendingEvent[] = [];
  private readonly afterwards = new Set<() => void>();

  constructor(
    private readonly runner: QueryRunner,
    private readonly says: readonly Saying[],
  ) {}

  /** The TypeORM manager of this transaction. */
  get manager(): EntityManager {
    return this.runner.manager;
  }

  /** Runs SQL in this transaction and returns its rows, whatever the kind of statement. */
  async rows<Row>(sql: string, parameters: readonly unknown[] = []): Promise<Row[]> {
    const result = await this.runner.query(sql, [...parameters], true);
    return result.records as Row[];
  }

  /** Appends an event. It carries the correlation id of the act under way, or of the event that caused it. */
  append<Schema extends z.ZodObject>(
    event: EventContract<Schema>,
    data: z.input<Schema>,
    correlationId: string | undefined = currentCorrelationId(),
  ): void {
    this.pending.push({ type: event.type, correlationId, data });
  }

  /** Has `wake` run right after the commit, once however often it is named, and never after a rollback. It must not throw. */
  afterCommit(wake: () => void): void {
    this.afterwards.add(wake);
  }

  /** Runs what was named to `afterCommit`. Called once, by `Outbox.transaction`. */
  committed(): void {
    for (const wake of this.afterwards) wake();
  }

  /**
   * Writes the appended events, a row for each publication, so that what one hearer cannot get now holds up nobody else's.
   * Called once, by `Outbox.transaction`. Resolves to how many rows there were.
   */
  async flush(): Promise<number> {
    const rows = this.pending.flatMap((event) => {
      const id = crypto.randomUUID();
      return this.publicationsOf(event.type).map((copyFor) => ({ ...event, id, copyFor }));
    });
    if (rows.length === 0) return 0;
    await this.rows(
      `insert into outbox_events (event_id, type, copy_for, correlation_id, data)
       select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::json[])`,
      [
        rows.map(({ id }) => id),
        rows.map(({ type }) => type),
        rows.map(({ copyFor }) => copyFor ?? null),
        rows.map(({ correlationId }) => correlationId ?? null),
        rows.map(({ data }) => JSON.stringify(data)),
      ],
    );
    return rows.length;
  }

  private publicationsOf(type: string): (ServiceName | undefined)[] {
    const saying = this.says.find(({ event }) => event.type === type);
    return [...(saying?.passedOn ? [] : [undefined]), ...(saying?.copiesTo ?? [])];
  }
}

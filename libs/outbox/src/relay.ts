import type { ServiceName } from '@latchkey/contracts';
import { type Broker, type OutgoingEvent, publicationOf, type PublishOutcome } from '@latchkey/messaging';
import type { DataSource, QueryRunner } from 'typeorm';

interface OutboxRow {
  readonly position: string;
  readonly event_id: string;
  readonly type: string;
  readonly copy_for: ServiceName | null;
  readonly correlation_id: string | null;
  readonly data: unknown;
  readonly created_at: Date;
}

/** What a relay reports: how one batch went, or that it failed as a whole. */
export interface RelayObserver {
  /** Counts of one batch by outcome. */
  relayed(outcomes: readonly PublishOutcome[]): void;
  /** Events came back because no queue is bound for these routing keys: an operator must look at the topology. */
  unroutable(routingKeys: readonly string[]): void;
  /** The database or the broker failed; the events stay and are tried again. */
  failed(error: unknown): void;
}

/** How a relay is set up. */
export interface RelayOptions {
  readonly dataSource: DataSource;
  readonly broker: Broker;
  readonly service: ServiceName;
  readonly observer: RelayObserver;
  /** How often the outbox is looked at when nobody said that there is something, in milliseconds. */
  readonly pollIntervalMs?: number;
}

const BATCH_MAX = 500;

/**
 * Moves events from the outbox to the broker: publishes with confirms, deletes what is confirmed, leaves the rest for a
 * later try. A crash in between publishes again under the same event id, which every inbox recognises. Several replicas
 * share the work by skipping each other's locked rows.
 */
export class Relay {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private wanted = false;
  private stopped = false;

  constructor(private readonly options: RelayOptions) {}

  /** Starts looking at the outbox. */
  start(): void {
    this.wake();
  }

  /** Says that there is something in the outbox; returns at once. */
  wake(): void {
    this.wanted = true;
    if (this.stopped || this.current) return;
    clearTimeout(this.timer);
    this.current = this.run().finally(() => {
      this.current = undefined;
      if (this.stopped) return;
      if (this.wanted) this.wake();
      else this.timer = setTimeout(() => this.wake(), this.options.pollIntervalMs ?? 500);
    });
  }

  /** Ends after the batch in hand, and one more look so that a clean stop leaves nothing behind. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.current;
    await this.run();
  }

  private async run(): Promise<void> {
    try {
      do {
        this.wanted = false;
        while (this.options.broker.state === 'up' && (await this.relayBatch()) === BATCH_MAX);
      } while (this.wanted && this.options.broker.state === 'up');
    } catch (error) {
      this.wanted = false;
      this.options.observer.failed(error);
    }
  }

  /** One batch in one transaction: the row locks keep other replicas from publishing the same events meanwhile. */
  private async relayBatch(): Promise<number> {
    const runner = this.options.dataSource.createQueryRunner();
    await runner.connect();
    try {
      await runner.startTransaction('READ COMMITTED');
      const rows = await this.take(runner);
      if (rows.length > 0) await this.settle(runner, rows, await this.options.broker.publish(rows.map((row) => this.eventOf(row))));
      await runner.commitTransaction();
      return rows.length;
    } catch (error) {
      if (runner.isTransactionActive) await runner.rollbackTransaction().catch(() => undefined);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async take(runner: QueryRunner): Promise<OutboxRow[]> {
    const result = await runner.query(
      `select position, event_id, type, copy_for, correlation_id, data, created_at from outbox_events
       where available_at <= clock_timestamp() order by position limit $1 for update skip locked`,
      [BATCH_MAX],
      true,
    );
    return result.records as OutboxRow[];
  }

  private async settle(runner: QueryRunner, rows: readonly OutboxRow[], outcomes: readonly PublishOutcome[]): Promise<void> {
    const confirmed = rows.filter((_, index) => outcomes[index] === 'confirmed');
    const kept = rows.filter((_, index) => outcomes[index] !== 'confirmed');
    if (confirmed.length > 0) {
      await runner.query('delete from outbox_events where position = any($1::bigint[])', [confirmed.map((row) => row.position)]);
    }
    if (kept.length > 0) {
      await runner.query(
        `update outbox_events set attempts = attempts + 1,
           available_at = clock_timestamp() + make_interval(secs => least(30, power(2, least(attempts, 5)) / 2))
         where position = any($1::bigint[])`,
        [kept.map((row) => row.position)],
      );
    }
    const unroutable = rows.filter((_, index) => outcomes[index] === 'unroutable');
    if (unroutable.length > 0) {
      this.options.observer.unroutable([...new Set(unroutable.map((row) => publicationOf(row.type, row.copy_for ?? undefined).routingKey))]);
    }
    this.options.observer.relayed(outcomes);
  }

  private eventOf(row: OutboxRow): OutgoingEvent {
    return {
      specversion: '1.0',
      id: row.event_id,
      source: `/latchkey/${this.options.service}`,
      type: row.type,
      time: row.created_at.toISOString(),
      ...(row.correlation_id === null ? {} : { correlationid: row.correlation_id }),
      data: row.data,
      ...(row.copy_for === null ? {} : { copyFor: row.copy_for }),
    };
  }
}

import type { CloudEvent, ServiceMessaging, ServiceName } from '@latchkey/contracts';
import type { Broker, PublishOutcome } from '@latchkey/messaging';
import type { DataSource, QueryRunner } from 'typeorm';

interface OutboxRow {
  readonly position: string;
  readonly event_id: string;
  readonly type: string;
  readonly correlation_id: string | null;
  readonly data: unknown;
  readonly created_at: Date;
}

/** What a relay reports: how one batch went, or that it failed as a whole. */
export interface RelayObserver {
  /** Counts of one batch by outcome. */
  relayed(outcomes: readonly PublishOutcome[]): void;
  /** An event came back because no queue is bound for its type: an operator must look at the topology. */
  unroutable(types: readonly string[]): void;
  /** The database or the broker failed; the events stay and are tried again. */
  failed(error: unknown): void;
}

/** How a relay is set up. */
export interface RelayOptions {
  readonly dataSource: DataSource;
  readonly broker: Broker;
  /** Whose outbox it is, and to whom it addresses copies. */
  readonly messaging: ServiceMessaging;
  readonly observer: RelayObserver;
  /** How often the outbox is looked at when nobody said that there is something, in milliseconds. */
  readonly pollIntervalMs?: number;
}

const BATCH_MAX = 500;

/**
 * Moves events from the outbox to the broker: publishes each with confirms, the original and every copy, deletes it when
 * all are confirmed, leaves the rest for a later try. A crash in between publishes again under the same event id, which every inbox recognises. Several replicas
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
      if (rows.length > 0) await this.settle(runner, rows, await this.publish(rows));
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
      `select position, event_id, type, correlation_id, data, created_at from outbox_events
       where available_at <= clock_timestamp() order by position limit $1 for update skip locked`,
      [BATCH_MAX],
      true,
    );
    return result.records as OutboxRow[];
  }

  /** One outcome a row: the worst of its publications, since whoever got its own already knows it when it comes again. */
  private async publish(rows: readonly OutboxRow[]): Promise<readonly PublishOutcome[]> {
    const { broker, messaging } = this.options;
    const events = rows.map((row) => this.eventOf(row));
    const worst = rows.map((): PublishOutcome => 'confirmed');
    const publishTo = async (copyFor: ServiceName | undefined, wanted: (type: string) => boolean): Promise<void> => {
      const indexes = rows.flatMap(({ type }, index) => (wanted(type) ? [index] : []));
      if (indexes.length === 0) return;
      const outcomes = await broker.publish(indexes.map((index) => events[index]!), copyFor);
      for (const [position, index] of indexes.entries()) worst[index] = worseOf(worst[index]!, outcomes[position]!);
    };
    const says = new Map(messaging.says.map((saying) => [saying.event.type, saying]));
    const hearersOfCopies = new Set(messaging.says.flatMap(({ copiesTo }) => copiesTo));
    await Promise.all([
      publishTo(undefined, (type) => !says.get(type)?.passedOn),
      ...[...hearersOfCopies].map((service) => publishTo(service, (type) => says.get(type)?.copiesTo.includes(service) ?? false)),
    ]);
    return worst;
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
    if (unroutable.length > 0) this.options.observer.unroutable([...new Set(unroutable.map((row) => row.type))]);
    this.options.observer.relayed(outcomes);
  }

  private eventOf(row: OutboxRow): CloudEvent {
    return {
      specversion: '1.0',
      id: row.event_id,
      source: `/latchkey/${this.options.messaging.service}`,
      type: row.type,
      time: row.created_at.toISOString(),
      ...(row.correlation_id === null ? {} : { correlationid: row.correlation_id }),
      data: row.data,
    };
  }
}

const badness: readonly PublishOutcome[] = ['confirmed', 'failed', 'unroutable'];

function worseOf(one: PublishOutcome, other: PublishOutcome): PublishOutcome {
  return badness.indexOf(one) > badness.indexOf(other) ? one : other;
}

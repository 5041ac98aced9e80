import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import type { ServiceName } from '@latchkey/contracts';
import { type Broker, publicationOf, type PublishOutcome } from '@latchkey/messaging';
import type { DataSource, QueryRunner } from 'typeorm';
import { inTransaction } from './in-transaction.js';
import { deleteRows, eventOf, type OutboxRow, postponeRows, takeRows } from './outbox-rows.js';
import { type Destination, ParkedDestinations } from './parked-destinations.js';

/** What a relay reports. Everything is reported after the commit, so that what was rolled back is not counted. */
export interface RelayObserver {
  /** Counts of one batch by outcome. */
  relayed(outcomes: readonly PublishOutcome[]): void;
  /** Nothing that was published under this routing key was taken. Reported when it begins, then once a minute. */
  parked(routingKey: string, outcome: PublishOutcome): void;
  /** A parked routing key takes messages again. */
  released(routingKey: string): void;
  /** How many routing keys are parked. */
  parkedCount(count: number): void;
  /** The database or the broker failed; the events stay and are tried again. */
  failed(error: unknown): void;
}

/** How a relay is set up. */
export interface RelayOptions {
  readonly dataSource: DataSource;
  readonly broker: Broker;
  readonly service: ServiceName;
  readonly observer: RelayObserver;
  /** How often the outbox is looked at when nothing woke the relay, in milliseconds. */
  readonly pollIntervalMs?: number;
}

/** One row with what the broker said of it. */
interface Published {
  readonly row: OutboxRow;
  readonly outcome: PublishOutcome;
}

/** Most rows of one destination in a batch: enough for full speed, and few enough that a stop does not wait for long. */
const ROWS_PER_DESTINATION_MAX = 200;
const POLL_INTERVAL_MS = 500;

/**
 * Moves events from the outbox to the broker: publishes with confirms, deletes what is confirmed, keeps the rest. A crash in
 * between publishes again under the same event id, which every inbox recognises. Several replicas share the work by skipping
 * each other's locked rows.
 *
 * A batch takes from every destination. One that takes nothing is parked and probed with single rows, so that its backlog
 * delays no other destination, however long it is.
 */
export class Relay {
  private timer: NodeJS.Timeout | undefined;
  private current: Promise<void> | undefined;
  private wanted = false;
  private stopped = false;
  private readonly parked = new ParkedDestinations();
  /** Woken from within a request, the relay would otherwise log under that request's correlation id for ever. */
  private readonly own = new AsyncResource('Relay');

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
    this.own.runInAsyncScope(() => this.begin());
  }

  /**
   * Ends after the batch in hand and one more, which takes what the last requests appended. What is left then stays in the
   * database for another replica or the next start: a long backlog must not keep the process from stopping in time.
   */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.current;
    if (this.isUp()) await this.relayBatch().catch((error: unknown) => this.options.observer.failed(error));
  }

  private begin(): void {
    this.current = this.run().finally(() => {
      this.current = undefined;
      if (this.stopped) return;
      if (this.wanted) this.wake();
      else this.timer = setTimeout(() => this.wake(), this.options.pollIntervalMs ?? POLL_INTERVAL_MS);
    });
  }

  private async run(): Promise<void> {
    try {
      do {
        this.wanted = false;
        while (!this.stopped && this.isUp() && (await this.relayBatch()));
      } while (this.wanted && !this.stopped && this.isUp());
    } catch (error) {
      this.wanted = false;
      this.options.observer.failed(error);
    }
  }

  private isUp(): boolean {
    return this.options.broker.state === 'up';
  }

  /**
   * One batch in one transaction: the row locks keep other replicas from publishing the same events meanwhile. Answers
   * whether there is more to take at once.
   */
  private async relayBatch(): Promise<boolean> {
    const probed = this.parked.due(performance.now());
    const published = await inTransaction(this.options.dataSource, async (runner) => {
      const rows = await takeRows(runner, { skipped: this.parked.all(), rowsEachMax: ROWS_PER_DESTINATION_MAX });
      for (const destination of probed) rows.push(...(await takeRows(runner, { only: destination, rowsEachMax: 1 })));
      return rows.length > 0 ? this.publish(runner, rows) : [];
    });
    this.observe(published, probed);
    return byDestination(published).some(({ results }) => results.length === ROWS_PER_DESTINATION_MAX && results.some(isConfirmed));
  }

  private async publish(runner: QueryRunner, rows: readonly OutboxRow[]): Promise<readonly Published[]> {
    const outcomes = await this.options.broker.publish(rows.map((row) => eventOf(row, this.options.service)));
    const published = rows.map((row, index): Published => ({ row, outcome: outcomes[index]! }));
    await deleteRows(runner, published.filter(isConfirmed).map(({ row }) => row));
    // While the broker is away, a row has not failed by itself: it stays as it is.
    if (this.isUp()) await postponeRows(runner, published.filter((one) => !isConfirmed(one)).map(({ row }) => row));
    return published;
  }

  private observe(published: readonly Published[], probed: readonly Destination[]): void {
    const { observer } = this.options;
    if (published.length > 0) observer.relayed(published.map(({ outcome }) => outcome));
    const groups = byDestination(published);
    for (const { destination, results } of groups) {
      const routingKey = publicationOf(destination.type, destination.copyFor).routingKey;
      if (results.some(isConfirmed)) {
        if (this.parked.release(destination)) observer.released(routingKey);
      } else if (this.isUp() && this.parked.park(destination, performance.now())) {
        observer.parked(routingKey, results[0]!.outcome);
      }
    }
    // No row is left of it, so nothing waits for it: another replica has published them.
    for (const destination of probed) {
      const found = groups.some((group) => isSame(group.destination, destination));
      if (!found && this.parked.release(destination)) observer.released(publicationOf(destination.type, destination.copyFor).routingKey);
    }
    observer.parkedCount(this.parked.size);
  }
}

function isConfirmed({ outcome }: Published): boolean {
  return outcome === 'confirmed';
}

function isSame(one: Destination, other: Destination): boolean {
  return one.type === other.type && one.copyFor === other.copyFor;
}

function byDestination(published: readonly Published[]): { destination: Destination; results: Published[] }[] {
  const groups = new Map<string, { destination: Destination; results: Published[] }>();
  for (const one of published) {
    const destination = { type: one.row.type, copyFor: one.row.copy_for ?? undefined };
    const key = JSON.stringify(destination);
    const group = groups.get(key) ?? { destination, results: [] };
    group.results.push(one);
    groups.set(key, group);
  }
  return [...groups.values()];
}

import { AsyncResource } from 'node:async_hooks';
import { performance } from 'node:perf_hooks';
import type { ServiceName } from '@latchkey/contracts';
import { type Broker, publicationOf, type PublishOutcome } from '@latchkey/messaging';
import type { DataSource, QueryRunner } from 'typeorm';
import type { OutboxLag } from './housekeeping.js';
import { inTransaction } from './in-transaction.js';
import { deleteRows, eventOf, hasRows, lagOf, type OutboxRow, postponeRows, takeRows } from './outbox-rows.js';
import { type Destination, ParkedDestinations } from './parked-destinations.js';

/** What a relay reports. Everything is reported after the commit, so that what was rolled back is not counted. */
export interface RelayObserver {
  /** Counts of one batch by outcome. */
  relayed(outcomes: readonly PublishOutcome[]): void;
  /**
   * Nothing that was published under this routing key was taken. Reported when it begins, then once a minute, with what
   * waits for it.
   */
  parked(routingKey: string, outcome: PublishOutcome, lag: OutboxLag): void;
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
    const emptied: Destination[] = [];
    const published = await inTransaction(this.options.dataSource, async (runner) => {
      const rows = await takeRows(runner, { skipped: this.parked.all(), rowsEachMax: ROWS_PER_DESTINATION_MAX });
      for (const destination of probed) {
        const found = await takeRows(runner, { only: destination, rowsEachMax: 1 });
        rows.push(...found);
        // A row that another replica has locked still waits: the destination is as it was.
        if (found.length === 0 && !(await hasRows(runner, destination))) emptied.push(destination);
      }
      return rows.length > 0 ? this.publish(runner, rows) : [];
    });
    await this.observe(published, emptied);
    return byDestination(published).some(
      ({ results }) => results.length === ROWS_PER_DESTINATION_MAX && results.some(isConfirmed),
    );
  }

  private async publish(runner: QueryRunner, rows: readonly OutboxRow[]): Promise<readonly Published[]> {
    const outcomes = await this.options.broker.publish(rows.map((row) => eventOf(row, this.options.service)));
    const published = rows.map((row, index): Published => ({ row, outcome: outcomes[index]! }));
    await deleteRows(runner, published.filter(isConfirmed).map(({ row }) => row));
    // While the broker is away, a row has not failed by itself: it stays as it is.
    if (this.isUp()) await postponeRows(runner, published.filter((one) => !isConfirmed(one)).map(({ row }) => row));
    return published;
  }

  private async observe(published: readonly Published[], emptied: readonly Destination[]): Promise<void> {
    const { observer, dataSource } = this.options;
    // First the state: an observer that throws must not have a parked destination tried at full speed.
    const groups = byDestination(published);
    const taking = groups.filter(({ results }) => results.some(isConfirmed)).map(({ destination }) => destination);
    const released = [...taking, ...emptied].filter((destination) => this.parked.release(destination));
    const refusing = groups.filter(({ results }) => this.isUp() && !results.some(isConfirmed));
    const reported = refusing.filter(({ destination }) => this.parked.park(destination, performance.now()));
    observer.parkedCount(this.parked.size);
    if (published.length > 0) observer.relayed(published.map(({ outcome }) => outcome));
    for (const destination of released) observer.released(routingKeyOf(destination));
    for (const { destination, results } of reported) {
      observer.parked(routingKeyOf(destination), results[0]!.outcome, await lagOf(dataSource, destination));
    }
  }
}

function isConfirmed({ outcome }: Published): boolean {
  return outcome === 'confirmed';
}

function routingKeyOf({ type, copyFor }: Destination): string {
  return publicationOf(type, copyFor).routingKey;
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

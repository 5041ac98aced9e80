import type { Broker, BrokerState, QueueDepth } from '@latchkey/messaging';
import { BROKER, Logger, Metrics, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { messaging } from '../subscriptions.js';

const MARK_INTERVAL_MS = 5_000;

/**
 * How old what we know of revocations is. While the broker is up and nothing waits for us there, we know what was
 * published, and the time is noted in the database; else the note grows old. Kept there and not in memory, because what
 * is known is the database's: one replica that hears is enough for all, and a restart without the broker does not make
 * it fresh.
 *
 * What it does not see: a revocation that its publisher has not got out of its own outbox; one that failed by itself and
 * waits on the short retry ladder or in the dead-letter queue, which have alerts of their own, because one such message of
 * one merchant must not refuse every licence of all merchants; and on RabbitMQ, which counts only what no replica has taken
 * yet, the few that another replica has in hand at that moment.
 */
@Injectable()
export class RevocationKnowledge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly marking: Periodic;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(BROKER) private readonly broker: Broker,
    metrics: Metrics,
    logger: Logger,
  ) {
    this.marking = new Periodic('mark-revocation-knowledge', MARK_INTERVAL_MS, () => this.mark(), logger);
    const age = metrics.gauge('latchkey_revocation_age_seconds', 'Seconds since nothing that revokes waited to be read', []);
    metrics.beforeScrape(async () => age.set(await this.ageSeconds()));
  }

  onApplicationBootstrap(): void {
    this.marking.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.marking.stop();
  }

  /** Seconds since it was last known that no revocation waited, by the database's clock. */
  async ageSeconds(): Promise<number> {
    const rows = await this.dataSource.query<{ age: number }[]>(
      'select extract(epoch from statement_timestamp() - current_at)::float8 as age from revocation_knowledge',
    );
    return rows[0]!.age;
  }

  /** Notes the time if nothing waits: the time before the look, because what came during it may not have been counted. */
  async mark(): Promise<void> {
    if (this.broker.state !== 'up') return;
    const [moment] = await this.dataSource.query<{ now: string }[]>('select clock_timestamp()::text as now');
    const depths = await this.broker.depths(messaging.service);
    if (!isAllHeard(this.broker.state, depths)) return;
    await this.dataSource.query('update revocation_knowledge set current_at = greatest(current_at, $1::timestamptz)', [moment!.now]);
  }
}

/**
 * Whether what was published has been read: after an outage the broker is up long before its backlog is read. A message
 * that waits for a database that is away counts, because it is still in `in`. A blocked broker lets no service publish.
 */
export function isAllHeard(state: BrokerState, depths: readonly QueueDepth[]): boolean {
  return state === 'up' && depths.every(({ queue, messages }) => queue !== 'in' || messages === 0);
}

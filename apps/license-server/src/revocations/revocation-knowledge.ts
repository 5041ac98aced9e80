import { Health, Logger, Metrics, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';

const MARK_INTERVAL_MS = 5_000;

/**
 * How old what we know of revocations is. While the broker is up, revocations arrive as they happen, and the time is
 * noted in the database; while it is away the note grows old. Kept there and not in memory, because what is known is
 * the database's: one replica that hears is enough for all, and a restart without the broker does not make it fresh.
 */
@Injectable()
export class RevocationKnowledge implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly marking: Periodic;

  constructor(
    private readonly dataSource: DataSource,
    private readonly health: Health,
    metrics: Metrics,
    logger: Logger,
  ) {
    this.marking = new Periodic('mark-revocation-knowledge', MARK_INTERVAL_MS, () => this.mark(), logger);
    const age = metrics.gauge('latchkey_license_revocation_knowledge_age_seconds', 'Seconds since revocations were last known to arrive', []);
    metrics.beforeScrape(async () => age.set(await this.ageSeconds()));
  }

  onApplicationBootstrap(): void {
    this.marking.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.marking.stop();
  }

  /** Seconds since revocations were last known to arrive, by the database's clock. */
  async ageSeconds(): Promise<number> {
    const rows = await this.dataSource.query<{ age: number }[]>(
      'select extract(epoch from clock_timestamp() - current_at)::float8 as age from revocation_knowledge',
    );
    return rows[0]!.age;
  }

  private async mark(): Promise<void> {
    const { checks } = await this.health.readiness();
    if (checks['broker']?.ok !== true) return;
    await this.dataSource.query('update revocation_knowledge set current_at = clock_timestamp()');
  }
}

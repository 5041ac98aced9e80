import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MARK_WINDOW_SECONDS } from './license/admission-store.js';

const PRUNE_INTERVAL_MS = 15_000;
const ROWS_MAX = 20_000;

/**
 * What may be forgotten, in SQL by the database's clock:
 * a mark after twice the window, when its proof would be refused for its `iat`;
 * a play clock after the rental's last day, when the rental is over whatever its clock says;
 * a revoked token after its expiry (and an hour, for clocks that differ), when it is refused without being known.
 * A revoked device is never forgotten.
 */
const FORGETTABLE = {
  replay_marks: `seen_at < clock_timestamp() - make_interval(secs => ${2 * MARK_WINDOW_SECONDS})`,
  rental_clocks: `available_until < clock_timestamp() - interval '1 hour'`,
  revoked_tokens: `expires_at < clock_timestamp() - interval '1 hour'`,
};

/** Forgets what can no longer change an answer. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly pruning: Periodic;

  constructor(
    private readonly dataSource: DataSource,
    logger: Logger,
  ) {
    this.pruning = new Periodic('prune-licenses', PRUNE_INTERVAL_MS, () => this.prune(), logger);
  }

  onApplicationBootstrap(): void {
    this.pruning.start();
  }

  async beforeApplicationShutdown(): Promise<void> {
    await this.pruning.stop();
  }

  /** Replicas do it at the same time, each with rows that no other has in hand. */
  async prune(): Promise<void> {
    for (const [table, forgettable] of Object.entries(FORGETTABLE)) {
      await this.dataSource.query(
        `delete from ${table} where ctid = any(array(
           select ctid from ${table} where ${forgettable} limit ${ROWS_MAX} for update skip locked
         ))`,
      );
    }
  }
}

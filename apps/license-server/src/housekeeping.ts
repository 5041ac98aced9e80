import { Logger, Periodic } from '@latchkey/service-defaults';
import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { MARK_LIFETIME_SECONDS } from './license/admission-store.js';

const PRUNE_INTERVAL_MS = 15_000;
/** Rows that are deleted by one statement: few enough that it holds its locks for a moment only. */
const BITE_ROWS = 20_000;

/**
 * What may be forgotten, in SQL by the database's clock:
 * a mark after twice the window and a little, when its proof would be refused for its `iat`;
 * a play clock after the rental's last day, when the rental is over whatever its clock says; but a token's not before another
 * 400 days: a purchase that takes the token over may end later, and its rental must not begin anew;
 * a revoked token after its expiry (and an hour, for clocks that differ), when it is refused without being known;
 * the public half of a signing key (but never that it retired) when it is trusted no more.
 * A revoked device is never forgotten.
 */
const FORGETTABLE: readonly (readonly [table: string, forgettable: string])[] = [
  ['replay_marks', `seen_at < statement_timestamp() - make_interval(secs => ${MARK_LIFETIME_SECONDS})`],
  ['rental_clocks', `subject like 'purchase/%' and available_until < statement_timestamp() - interval '1 hour'`],
  ['rental_clocks', `subject like 'token/%' and available_until < statement_timestamp() - interval '400 days'`],
  ['revoked_tokens', `expires_at < statement_timestamp() - interval '1 hour'`],
  ['signing_keys', `key_id in (select key_id from retired_signing_keys where trusted_until < statement_timestamp())`],
];

/** Forgets what can no longer change an answer. */
@Injectable()
export class Housekeeping implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly pruning: Periodic;
  private stopping = false;

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
    this.stopping = true;
    await this.pruning.stop();
  }

  /**
   * Forgets all that may be forgotten, bite by bite: with a fixed number a round the tables would grow without end as
   * soon as more comes in. Replicas do it at the same time, each with rows that no other has in hand.
   */
  async prune(): Promise<void> {
    for (const [table, forgettable] of FORGETTABLE) {
      while (!this.stopping && (await this.bite(table, forgettable)) === BITE_ROWS);
    }
  }

  private async bite(table: string, forgettable: string): Promise<number> {
    const [, deleted] = await this.dataSource.query<[unknown[], number]>(
      `delete from ${table} where ctid = any(array(
         select ctid from ${table} where ${forgettable} limit ${BITE_ROWS} for update skip locked
       ))`,
    );
    return deleted;
  }
}

import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { LiveTokenLooks, TwoLiveTokens } from './final-state.js';
import { nowMs } from './history.js';
import type { Target } from './system/target.js';

const INTERVAL_MS = 50;
const RECONNECT_MS = 250;
const FOUND_MAX = 100;

/**
 * Looks all the time whether a purchase has two live tokens. A statement sees the database as it was at one instant, so
 * what it finds was really so: unlike the times in the tables, which are read before a transaction becomes visible.
 */
export class LiveTokenWatch {
  private looks = 0;
  private readonly found: TwoLiveTokens[] = [];
  private stopped = false;
  private readonly ended: Promise<void>;

  constructor(private readonly target: Target) {
    this.ended = this.watch();
  }

  /** What was seen so far. */
  seen(): LiveTokenLooks {
    return { looks: this.looks, found: [...this.found] };
  }

  async stop(): Promise<void> {
    this.stopped = true;
    await this.ended;
  }

  /** Through a database that dies and comes back, as often as it does. */
  private async watch(): Promise<void> {
    while (!this.stopped) {
      const client = new Client({ connectionString: this.target.databaseUrl('token-issuer'), connectionTimeoutMillis: 2_000, query_timeout: 5_000 });
      // A connection that is cut ends the look under way, which says so itself.
      client.on('error', () => undefined);
      try {
        await client.connect();
        while (!this.stopped) {
          await this.look(client);
          await delay(INTERVAL_MS);
        }
      } catch {
        await delay(RECONNECT_MS);
      } finally {
        await client.end().catch(() => undefined);
      }
    }
  }

  private async look(client: Client): Promise<void> {
    const { rows } = await client.query<{ purchaseId: string; tokenIds: string[] }>(
      `select purchase_id as "purchaseId", array_agg(token_id order by token_id) as "tokenIds" from tokens
        where purchase_id is not null and superseded_at is null and revoked_at is null and expires_at > statement_timestamp()
        group by merchant_id, purchase_id having count(*) > 1 limit 5`,
    );
    this.looks += 1;
    if (this.found.length < FOUND_MAX) this.found.push(...rows.map((row) => ({ atMs: nowMs(), ...row })));
  }
}

import { vocabulary } from '@latchkey/contracts';
import { Outbox, type Tx } from '@latchkey/outbox';
import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** An event of the feed that has its number. */
export interface FeedEvent {
  /** Its id on the stream. */
  readonly sequence: number;
  readonly merchantId: string;
  readonly type: string;
  /** The event's data as JSON text, on one line. */
  readonly data: string;
  /** The `purchaseId` of its data, if it has a proper one. */
  readonly purchaseId: string | undefined;
}

/** An event that merchants are told about, before it has its number. */
export interface HeardEvent {
  readonly merchantId: string;
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When it happened, as who said it says, where that is known. */
  readonly time?: string | undefined;
}

/** Events that were numbered together. */
export interface NumberedEvents {
  /** The number before the first. */
  readonly after: number;
  /** The number of the last. */
  readonly last: number;
}

interface FeedRow {
  readonly sequence: string;
  readonly merchant_id: string;
  readonly type: string;
  readonly data: string;
  readonly purchase_id: string | null;
}

const columns = 'sequence, merchant_id, type, data, purchase_id';
const SEQUENCED_AT_ONCE_MAX = 1_000;

/**
 * The feed of what merchants are told. Events are stored unnumbered by whichever replica hears them, and numbered
 * afterwards, in commit order, by one writer at a time: a number taken at insertion could become visible after a higher
 * one, and a client that had seen the higher one would never be given it.
 */
@Injectable()
export class FeedStore {
  constructor(
    private readonly dataSource: DataSource,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Stores events, in this order, whatever their data holds. What the gateway needs of the data is taken out here and
   * never by a query: a checkout may write \u0000 or half a surrogate pair, PostgreSQL decodes neither, and one such row
   * would fail every query that reads past it, for all merchants. JSON.stringify escapes both, so the text is storable.
   */
  async append(tx: Tx, events: readonly HeardEvent[]): Promise<void> {
    await tx.rows(
      `insert into feed_events (merchant_id, type, data, purchase_id, occurred_at)
       select merchant_id, type, data, purchase_id, occurred_at
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality as heard (merchant_id, type, data, purchase_id, occurred_at, nth)
       order by nth`,
      [
        events.map((event) => event.merchantId),
        events.map((event) => event.type),
        events.map((event) => JSON.stringify(event.data)),
        events.map((event) => purchaseIdOf(event.data)),
        events.map((event) => occurredAt(event)),
      ],
    );
  }

  /** Whether events wait for their number. */
  async hasUnnumbered(): Promise<boolean> {
    return (await this.dataSource.query<unknown[]>('select 1 from feed_events where sequence is null limit 1')).length > 0;
  }

  /**
   * Numbers what waits; resolves to how many it were, at most 1,000. What `alongside` does with them commits with their
   * numbers, so that it is done once for each event.
   */
  async number(alongside: (tx: Tx, numbered: NumberedEvents) => Promise<void> = async () => undefined): Promise<number> {
    return this.outbox.transaction(async (tx) => {
      // The lock makes this replica the one writer until its numbers are visible. The statement after it sees what was
      // committed meanwhile.
      const state = await tx.rows<{ last_sequence: string }>('select last_sequence from feed_state for update');
      const numbered = await tx.rows<{ position: string }>(
        `with waiting as (
           select position, $1::bigint + row_number() over (order by position) as number
           from (select position from feed_events where sequence is null order by position limit $2) as unnumbered
         )
         update feed_events set sequence = waiting.number from waiting where feed_events.position = waiting.position
         returning feed_events.position`,
        [state[0]!.last_sequence, SEQUENCED_AT_ONCE_MAX],
      );
      if (numbered.length === 0) return 0;
      await tx.rows('update feed_state set last_sequence = last_sequence + $1', [numbered.length]);
      const after = Number(state[0]!.last_sequence);
      await alongside(tx, { after, last: after + numbered.length });
      return numbered.length;
    });
  }

  /** The highest number given so far. */
  async lastSequence(): Promise<number> {
    const rows = await this.dataSource.query<{ last_sequence: string }[]>('select last_sequence from feed_state');
    return Number(rows[0]!.last_sequence);
  }

  /** Every merchant's events after this number, in order. */
  async after(sequence: number, limit: number): Promise<FeedEvent[]> {
    const rows = await this.dataSource.query<FeedRow[]>(`select ${columns} from feed_events where sequence > $1 order by sequence limit $2`, [sequence, limit]);
    return rows.map(fromRow);
  }

  /** One merchant's events after this number, in order. */
  async ofMerchantAfter(merchantId: string, sequence: number, limit: number): Promise<FeedEvent[]> {
    const rows = await this.dataSource.query<FeedRow[]>(
      `select ${columns} from feed_events where merchant_id = $1 and sequence > $2 order by sequence limit $3`,
      [merchantId, sequence, limit],
    );
    return rows.map(fromRow);
  }

  /** Forgets events that were received so many days ago, at most `limit`; resolves to how many. */
  async prune(retentionDays: number, limit: number): Promise<number> {
    return this.outbox.transaction(async (tx) => {
      const pruned = await tx.rows(
        `delete from feed_events where position in (
           select position from feed_events
           where received_at < statement_timestamp() - make_interval(days => $1) and sequence is not null
           limit $2 for update skip locked
         ) returning position`,
        [retentionDays, limit],
      );
      return pruned.length;
    });
  }
}

function fromRow(row: FeedRow): FeedEvent {
  return { sequence: Number(row.sequence), merchantId: row.merchant_id, type: row.type, data: row.data, purchaseId: row.purchase_id ?? undefined };
}

function purchaseIdOf({ purchaseId }: HeardEvent['data']): string | null {
  return vocabulary.purchaseId.safeParse(purchaseId).data ?? null;
}

/** In UTC, whatever offset its checkout wrote. */
function occurredAt({ time }: HeardEvent): string | null {
  const ms = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

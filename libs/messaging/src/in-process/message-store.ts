import type { ServiceName } from '@latchkey/contracts';
import { DatabaseError, type Pool, type QueryResult, type QueryResultRow } from 'pg';
import type { BrokerState, QuarantinedMessage, QueueDepth } from '../broker.js';
import type { EventMessage } from '../cloud-event-codec.js';
import type { Settlement } from './settlement.js';
import { storableText } from './storable-text.js';

/** A publication that is to be stored once for each service that hears it. */
export interface OutgoingMessage {
  readonly type: string;
  readonly exchange: string;
  readonly services: readonly ServiceName[];
  readonly message: EventMessage;
}

/** A message as it lies in the table. `id` is a bigint in decimal: it orders the messages and names one row. */
export interface StoredMessage {
  readonly id: string;
  readonly attempt: number;
  readonly exchange: string;
  readonly type: string;
  readonly contentType: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

/** What a service may handle now, and how long until its next retry is due by the database's clock, if one waits. */
export interface Taken {
  readonly messages: readonly StoredMessage[];
  readonly nextRetryInMs: number | undefined;
}

/** A message, and what is to become of it. */
export interface SettledMessage {
  readonly message: StoredMessage;
  readonly settlement: Settlement;
}

/** The queries of the in-process bus. Each method is one statement, thus one transaction. */
export class MessageStore {
  private lastState: BrokerState = 'up';

  constructor(private readonly pool: Pool) {}

  /** How the database was when it was last asked. */
  get state(): BrokerState {
    return this.lastState;
  }

  /** Stores every publication for every service that hears it, all or none, in their order. */
  async insert(messages: readonly OutgoingMessage[]): Promise<void> {
    const rows = messages.flatMap(({ services, ...stored }) => services.map((service) => ({ service, ...stored })));
    await this.query(
      `insert into queued_messages (service, message_id, exchange, type, content_type, headers, body)
       select service, id, exchange, type, content_type, headers, body
         from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::json[], $7::bytea[])
              with ordinality as message (service, id, exchange, type, content_type, headers, body, position)
        order by position`,
      [
        rows.map(({ service }) => service),
        rows.map(({ message }) => storableText(message.messageId)),
        rows.map(({ exchange }) => exchange),
        rows.map(({ type }) => type),
        rows.map(({ message }) => message.contentType),
        rows.map(({ message }) => JSON.stringify(message.headers)),
        rows.map(({ message }) => message.body),
      ],
      'insert',
    );
  }

  /**
   * What a service may take now, oldest first, without what it has already taken. New messages and due retries are looked
   * up by an index each, so that a thousand messages that wait on the ladder cost nothing (`not materialized`, or all of
   * them would be read for the next one's time).
   */
  async take(service: ServiceName, taken: readonly string[], limit: number): Promise<Taken> {
    const { rows } = await this.query<StoredMessage & { waitMs: number | null }>(
      `with free_retries as not materialized (
         select * from queued_messages where state = 'retry' and service = $1 and id <> all ($2::bigint[])
       ), available as (
         (select * from queued_messages
           where state = 'in' and service = $1 and id <> all ($2::bigint[]) order by id limit $3)
         union all
         (select * from free_retries where available_at <= statement_timestamp() order by available_at limit $3)
       )
       select extract(epoch from next_retry.at - statement_timestamp())::float8 * 1000 as "waitMs",
              id, attempt, exchange, type, content_type as "contentType", headers, body
         from (select (select available_at from free_retries order by available_at limit 1) as at) as next_retry
         left join available on true
        order by id limit $3`,
      [service, taken, limit],
      'take',
    );
    // The left join answers one row without a message where there is none, so that the wait comes in the same round trip.
    return { messages: rows.filter(({ id }) => id !== null), nextRetryInMs: rows[0]!.waitMs ?? undefined };
  }

  /**
   * Carries out verdicts, all or none. A row that has moved on since it was taken stays as it is: a settlement whose
   * answer was lost may have been carried out, and a second one would skip a rung. The statement is planned anew each
   * time: a plan kept from when the table was empty would read all of it for every batch of a backlog.
   */
  async settle(settled: readonly SettledMessage[]): Promise<void> {
    await this.query(
      `with verdict as (
         select * from unnest($1::bigint[], $2::integer[], $3::text[], $4::integer[], $5::float8[], $6::text[])
           as verdict (id, attempt, state, next_attempt, delay_ms, reason)
       ), let_go as (
         delete from queued_messages as message using verdict
          where verdict.state = 'done' and message.id = verdict.id and message.attempt = verdict.attempt
       )
       update queued_messages as message
          set state = verdict.state, attempt = verdict.next_attempt, reason = verdict.reason,
              available_at = statement_timestamp() + verdict.delay_ms * interval '1 millisecond',
              quarantined_at = case when verdict.state = 'dlq' then statement_timestamp() end
         from verdict
        where verdict.state <> 'done' and message.id = verdict.id and message.attempt = verdict.attempt`,
      [
        settled.map(({ message }) => message.id),
        settled.map(({ message }) => message.attempt),
        settled.map(({ settlement }) => settlement.state),
        settled.map(({ settlement }) => settlement.attempt),
        settled.map(({ settlement }) => settlement.delayMs),
        settled.map(({ settlement }) => settlement.reason ?? null),
      ],
    );
  }

  /** The highest id in the table: whatever is not above it may have been handed out by a process that is no more. */
  async highestId(): Promise<bigint> {
    const { rows } = await this.query<{ id: string }>('select coalesce(max(id), 0) as id from queued_messages', []);
    return BigInt(rows[0]!.id);
  }

  /** A service's quarantine, oldest first. The ids are those of the events. */
  async quarantined(service: ServiceName, limit: number): Promise<readonly QuarantinedMessage[]> {
    const { rows } = await this.query<{ id: string; type: string; reason: string; attempt: number; quarantinedAt: Date }>(
      `select message_id as id, type, reason, attempt, quarantined_at as "quarantinedAt"
         from queued_messages where state = 'dlq' and service = $1 order by quarantined_at, id limit $2`,
      [service, limit],
    );
    return rows.map((row) => ({ ...row, quarantinedAt: row.quarantinedAt.toISOString() }));
  }

  /** Makes quarantined messages first attempts again: all of the service's, or those of events with these ids. */
  async redrive(service: ServiceName, ids: readonly string[] | undefined): Promise<number> {
    const { rowCount } = await this.query(
      `update queued_messages
          set state = 'in', attempt = 1, available_at = statement_timestamp(), reason = null, quarantined_at = null
        where state = 'dlq' and service = $1 and ($2::text[] is null or message_id = any ($2))`,
      [service, ids?.map(storableText) ?? null],
    );
    return rowCount ?? 0;
  }

  /** How many messages wait where. A retry whose time has come counts as waiting to be taken, as it does in RabbitMQ. */
  async depths(service: ServiceName): Promise<readonly QueueDepth[]> {
    const { rows } = await this.query<{ in: number; retry: number; dlq: number }>(
      `select (count(*) filter (where state = 'in' or state = 'retry' and available_at <= statement_timestamp()))::integer as "in",
              (count(*) filter (where state = 'retry' and available_at > statement_timestamp()))::integer as retry,
              (count(*) filter (where state = 'dlq'))::integer as dlq
         from queued_messages where service = $1`,
      [service],
    );
    const [depths] = rows;
    return (['in', 'retry', 'dlq'] as const).map((queue) => ({ queue, messages: depths![queue] }));
  }

  /** With a `name` the statement is parsed and planned once a connection. */
  private async query<Row extends QueryResultRow>(text: string, values: unknown[], name?: string): Promise<QueryResult<Row>> {
    try {
      const result = await this.pool.query<Row>({ text, values, name });
      this.lastState = 'up';
      return result;
    } catch (error) {
      this.lastState = stateAfter(error);
      throw error;
    }
  }
}

/**
 * What a failed query says of the database: full; healthy, where the statement itself was refused; else away. What is
 * refused while connecting has a SQLSTATE too, thus the healthy ones are those that are named.
 */
export function stateAfter(error: unknown): BrokerState {
  const sqlState = error instanceof DatabaseError ? (error.code ?? '') : '';
  if (sqlState === diskFull || sqlState === outOfMemory) return 'blocked';
  return refusedStatement.test(sqlState) ? 'up' : 'down';
}

const diskFull = '53100';
const outOfMemory = '53200';
/** Data exceptions, broken constraints, rolled back transactions, and errors in the statement (SQLSTATE classes). */
const refusedStatement = /^(?:22|23|40|42)/;

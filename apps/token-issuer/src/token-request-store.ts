import type { Tx } from '@latchkey/outbox';
import type { Rows } from './rows.js';

/** How long an idempotency key stands for its request, in hours. */
const REQUEST_KEPT_HOURS = 24;

/** What a token was asked for under an idempotency key, as one text; equal requests have equal ones. */
export interface TokenRequest {
  readonly merchantId: string;
  readonly idempotencyKey: string;
  readonly request: string;
}

/** What was asked for under this key within the last 24 hours, and the token that was given. */
export async function findTokenRequest(
  rows: Rows,
  { merchantId, idempotencyKey }: Pick<TokenRequest, 'merchantId' | 'idempotencyKey'>,
): Promise<{ readonly request: string; readonly tokenId: string } | undefined> {
  const [found] = await rows.rows<{ request: string; tokenId: string }>(
    `select request, token_id as "tokenId" from token_requests
     where merchant_id = $1 and idempotency_key = $2 and created_at > statement_timestamp() - make_interval(hours => $3)`,
    [merchantId, idempotencyKey, REQUEST_KEPT_HOURS],
  );
  return found;
}

/** Remembers a request. False where another one holds the key: it was written at this very moment. */
export async function rememberTokenRequest(tx: Tx, { merchantId, idempotencyKey, request }: TokenRequest, tokenId: string): Promise<boolean> {
  const written = await tx.rows(
    `insert into token_requests as held (merchant_id, idempotency_key, request, token_id) values ($1, $2, $3, $4)
     on conflict (merchant_id, idempotency_key) do update
       set request = excluded.request, token_id = excluded.token_id, created_at = statement_timestamp()
       where held.created_at <= statement_timestamp() - make_interval(hours => $5)
     returning token_id`,
    [merchantId, idempotencyKey, request, tokenId, REQUEST_KEPT_HOURS],
  );
  return written.length > 0;
}

/** Forgets requests whose time is over, at most `limit` of them; resolves to how many. */
export async function forgetOldTokenRequests(rows: Rows, limit: number): Promise<number> {
  const [gone] = await rows.rows<{ count: number }>(
    `with old as (
       select merchant_id, idempotency_key from token_requests
       where created_at <= statement_timestamp() - make_interval(hours => $1)
       limit $2 for update skip locked
     ), gone as (
       delete from token_requests using old
       where token_requests.merchant_id = old.merchant_id and token_requests.idempotency_key = old.idempotency_key
       returning 1
     ) select count(*)::int as count from gone`,
    [REQUEST_KEPT_HOURS, limit],
  );
  return gone!.count;
}

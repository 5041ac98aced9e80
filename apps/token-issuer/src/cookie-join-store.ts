import { type Confidence, confidenceOf, type CookieRef, type Evidence } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { keyOf, type Rows } from './rows.js';

/** Something that was heard of a cookie, by event or by asking. */
export interface CookieFact extends CookieRef {
  readonly accountId?: string;
  readonly expiresAt?: Date;
  readonly device?: { readonly deviceId: string; readonly evidence: Evidence; readonly confidence: Confidence; readonly registeredAt: Date };
}

/** What is known of a cookie: the row where its purchases and its device meet. */
export interface CookieJoin extends CookieRef {
  readonly accountId?: string;
  readonly expiresAt?: Date;
  readonly device?: { readonly deviceId: string; readonly evidence: Evidence; readonly confidence: Confidence };
}

interface JoinRow {
  readonly merchant_id: string;
  readonly cookie: string;
  readonly account_id: string | null;
  readonly expires_at: Date | null;
  readonly device_id: string | null;
  readonly evidence: Evidence | null;
  readonly confidence: Confidence | null;
}

const columns = 'merchant_id, cookie, account_id, expires_at, device_id, evidence, confidence';

/**
 * Locks the row of each cookie until the transaction ends, adding what the facts tell, and then reads it. Whoever holds
 * the lock sees all that others committed for the cookie before: without it a purchase and its device, each in a
 * transaction that cannot see the other's, would both find nothing, and the purchase would wait for ever.
 *
 * The rows are locked in sorted order, so that overlapping batches wait for each other instead of deadlocking. An update
 * whose condition is false still locks its row, and writes none.
 */
export async function lockJoins(tx: Tx, facts: readonly CookieFact[]): Promise<{ joins: ReadonlyMap<string, CookieJoin>; now: Date }> {
  const merged = mergeFacts(facts);
  await tx.rows(
    `insert into cookie_joins as held (merchant_id, cookie, account_id, expires_at, device_id, evidence, registered_at, confidence)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::timestamptz[], $8::text[])
       as heard (merchant_id, cookie, account_id, expires_at, device_id, evidence, registered_at, confidence)
     order by merchant_id, cookie
     on conflict (merchant_id, cookie) do update set
       account_id = coalesce(held.account_id, excluded.account_id),
       expires_at = coalesce(held.expires_at, excluded.expires_at),
       device_id = coalesce(held.device_id, excluded.device_id),
       evidence = coalesce(held.evidence, excluded.evidence),
       registered_at = coalesce(held.registered_at, excluded.registered_at),
       confidence = case when held.device_id is null then excluded.confidence else held.confidence end
     where (held.account_id is null and excluded.account_id is not null)
        or (held.expires_at is null and excluded.expires_at is not null)
        or (held.device_id is null and excluded.device_id is not null)`,
    [
      merged.map((fact) => fact.merchantId),
      merged.map((fact) => fact.cookie),
      merged.map((fact) => fact.accountId ?? null),
      merged.map((fact) => fact.expiresAt?.toISOString() ?? null),
      merged.map((fact) => fact.device?.deviceId ?? null),
      merged.map((fact) => fact.device?.evidence ?? null),
      merged.map((fact) => fact.device?.registeredAt.toISOString() ?? null),
      merged.map((fact) => fact.device?.confidence ?? null),
    ],
  );
  const rows = await selectJoins<JoinRow & { readonly now: Date }>(tx, merged, `${columns}, clock_timestamp() as now`);
  return { joins: byKey(rows), now: rows[0]?.now ?? new Date() };
}

/** What is known of these cookies now, without holding them. Cookies that were never heard of are left out. */
export async function readJoins(reader: Rows, cookies: readonly CookieRef[]): Promise<ReadonlyMap<string, CookieJoin>> {
  return byKey(await selectJoins<JoinRow>(reader, cookies, columns));
}

/** Which of these cookies' keys are of one (merchant, cookie): what the map of joins is read with. */
export function cookieKey({ merchantId, cookie }: CookieRef): string {
  return keyOf(merchantId, cookie);
}

function selectJoins<Row>(rows: Rows, cookies: readonly CookieRef[], list: string): Promise<Row[]> {
  return rows.rows<Row>(
    `select ${list} from cookie_joins where (merchant_id, cookie) in (select * from unnest($1::text[], $2::text[]))`,
    [cookies.map((one) => one.merchantId), cookies.map((one) => one.cookie)],
  );
}

/** One fact a cookie: an upsert may touch a row only once. */
function mergeFacts(facts: readonly CookieFact[]): CookieFact[] {
  const merged = new Map<string, CookieFact>();
  for (const fact of facts) {
    const before = merged.get(cookieKey(fact));
    const { merchantId, cookie } = fact;
    merged.set(cookieKey(fact), {
      merchantId,
      cookie,
      accountId: before?.accountId ?? fact.accountId,
      expiresAt: before?.expiresAt ?? fact.expiresAt,
      device: before?.device ?? fact.device,
    });
  }
  return [...merged.values()];
}

function byKey(rows: readonly JoinRow[]): ReadonlyMap<string, CookieJoin> {
  return new Map(rows.map((row) => [keyOf(row.merchant_id, row.cookie), joinOf(row)]));
}

function joinOf(row: JoinRow): CookieJoin {
  const { device_id: deviceId, evidence, confidence } = row;
  return {
    merchantId: row.merchant_id,
    cookie: row.cookie,
    accountId: row.account_id ?? undefined,
    expiresAt: row.expires_at ?? undefined,
    device: deviceId !== null && evidence !== null ? { deviceId, evidence, confidence: confidenceOf(evidence, confidence) } : undefined,
  };
}

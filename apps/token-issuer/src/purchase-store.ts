import type { CookieRef, PurchaseState, Rights } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import type { RejectionCode, StoredPurchase, Purchase } from './purchase.js';
import { keyOf, LostRace, type Rows } from './rows.js';

/** A purchase of a merchant. */
export interface PurchaseRef {
  readonly merchantId: string;
  readonly purchaseId: string;
}

/** A purchase that is written for the first time, with what became of it. */
export interface NewPurchase {
  readonly terms: Purchase;
  readonly state: 'awaiting-device' | 'issued' | 'rejected';
  readonly code?: RejectionCode;
  readonly cookieExpiresAt?: Date;
  readonly deviceId?: string;
  readonly tokenId?: string;
  readonly playClock?: string;
}

/** How a purchase that waited ends. */
export interface EndOfWaiting extends PurchaseRef {
  readonly state: 'issued' | 'rejected';
  readonly code?: RejectionCode;
  readonly deviceId?: string;
  readonly tokenId?: string;
  readonly playClock?: string;
}

/** A refund as it is written down. */
export interface Refund extends PurchaseRef {
  readonly refundedAt: string;
  readonly reason?: string;
}

interface PurchaseRow {
  readonly merchant_id: string;
  readonly purchase_id: string;
  readonly state: PurchaseState;
  readonly code: RejectionCode | null;
  readonly cookie: string | null;
  readonly named_device_id: string | null;
  readonly content_id: string;
  readonly kids: string[];
  readonly rights: Rights;
  readonly completed_at: string;
  readonly device_id: string | null;
  readonly token_id: string | null;
  readonly play_clock: string | null;
  readonly accepted_at: Date;
  readonly refunded_at: Date | null;
}

const columns = `merchant_id, purchase_id, state, code, cookie, named_device_id, content_id, kids, rights, completed_at, device_id,
  token_id, play_clock, accepted_at, refunded_at`;

/** The key under which the maps of this file hold a purchase. */
export function purchaseKey({ merchantId, purchaseId }: PurchaseRef): string {
  return keyOf(merchantId, purchaseId);
}

/** Reads purchases. What is unknown is left out. */
export async function findPurchases(rows: Rows, purchases: readonly PurchaseRef[]): Promise<ReadonlyMap<string, StoredPurchase>> {
  const found = await rows.rows<PurchaseRow>(
    `select ${columns} from purchases where (merchant_id, purchase_id) in (select * from unnest($1::text[], $2::text[]))`,
    [purchases.map((one) => one.merchantId), purchases.map((one) => one.purchaseId)],
  );
  return new Map(found.map((row) => [keyOf(row.merchant_id, row.purchase_id), storedOf(row)]));
}

/** The purchases that wait for these cookies' devices. */
export async function findWaiting(rows: Rows, cookies: readonly CookieRef[]): Promise<(StoredPurchase & { readonly terms: Purchase })[]> {
  const found = await rows.rows<PurchaseRow>(
    `select ${columns} from purchases
     where state = 'awaiting-device' and (merchant_id, cookie) in (select * from unnest($1::text[], $2::text[]))
     order by accepted_at, purchase_id`,
    [cookies.map((one) => one.merchantId), cookies.map((one) => one.cookie)],
  );
  return found.map(storedOf).filter((purchase): purchase is StoredPurchase & { terms: Purchase } => purchase.terms !== undefined);
}

/** Cookies whose time was over so long ago while purchases wait for their devices, the oldest first. */
export async function findOverdueCookies(rows: Rows, graceMs: number, limit: number): Promise<CookieRef[]> {
  return rows.rows<CookieRef>(
    `select merchant_id as "merchantId", cookie from purchases
     where state = 'awaiting-device' and cookie_expires_at <= statement_timestamp() - make_interval(secs => $1)
     group by merchant_id, cookie order by min(cookie_expires_at) limit $2`,
    [graceMs / 1000, limit],
  );
}

/** As far as `countWaiting` counts: a metric must not read every waiting purchase at every scrape. */
const WAITING_COUNT_MAX = 10_000;

/** How many purchases wait for a device, counted up to 10,000. */
export async function countWaiting(rows: Rows): Promise<number> {
  const [row] = await rows.rows<{ count: number }>(
    `select count(*)::int as count from (select from purchases where state = 'awaiting-device' limit $1) as waiting`,
    [WAITING_COUNT_MAX],
  );
  return row!.count;
}

/** Writes purchases for the first time. Throws a `LostRace` where a refund or a conflicting twin was written meanwhile. */
export async function insertPurchases(tx: Tx, purchases: readonly NewPurchase[]): Promise<void> {
  if (purchases.length === 0) return;
  const terms = purchases.map((purchase) => purchase.terms);
  const inserted = await tx.rows(
    `insert into purchases (merchant_id, purchase_id, state, code, cookie, cookie_expires_at, named_device_id, content_id, kids, rights,
       completed_at, device_id, token_id, play_clock)
     select merchant_id, purchase_id, state, code, cookie, cookie_expires_at, named_device_id, content_id, string_to_array(kids, ','),
       rights, completed_at, device_id, token_id, play_clock
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::text[], $9::text[],
         $10::jsonb[], $11::text[], $12::text[], $13::text[], $14::text[])
       as new (merchant_id, purchase_id, state, code, cookie, cookie_expires_at, named_device_id, content_id, kids, rights,
         completed_at, device_id, token_id, play_clock)
     order by merchant_id, purchase_id
     on conflict do nothing
     returning purchase_id`,
    [
      terms.map((one) => one.merchantId),
      terms.map((one) => one.purchaseId),
      purchases.map((purchase) => purchase.state),
      purchases.map((purchase) => purchase.code ?? null),
      terms.map((one) => one.cookie),
      purchases.map((purchase) => purchase.cookieExpiresAt?.toISOString() ?? null),
      terms.map((one) => one.deviceId ?? null),
      terms.map((one) => one.contentId),
      terms.map((one) => one.kids.join(',')),
      terms.map((one) => JSON.stringify(one.rights)),
      terms.map((one) => one.completedAt),
      purchases.map((purchase) => purchase.deviceId ?? null),
      purchases.map((purchase) => purchase.tokenId ?? null),
      purchases.map((purchase) => purchase.playClock ?? null),
    ],
  );
  if (inserted.length < purchases.length) throw new LostRace('another transaction wrote the purchase first');
}

/**
 * Ends the waiting of purchases whose joins are locked. Throws a `LostRace` if one of them waits no more: written without that
 * condition, the end of the waiting would overwrite a refund, and a refunded purchase would keep a live token.
 */
export async function endWaiting(tx: Tx, ends: readonly EndOfWaiting[]): Promise<void> {
  if (ends.length === 0) return;
  const ended = await tx.rows(
    `update purchases set state = ended.state, code = ended.code, device_id = ended.device_id, token_id = ended.token_id,
       play_clock = ended.play_clock
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
       as ended (merchant_id, purchase_id, state, code, device_id, token_id, play_clock)
     where purchases.merchant_id = ended.merchant_id and purchases.purchase_id = ended.purchase_id
       and purchases.state = 'awaiting-device'
     returning purchases.purchase_id`,
    [
      ends.map((end) => end.merchantId),
      ends.map((end) => end.purchaseId),
      ends.map((end) => end.state),
      ends.map((end) => end.code ?? null),
      ends.map((end) => end.deviceId ?? null),
      ends.map((end) => end.tokenId ?? null),
      ends.map((end) => end.playClock ?? null),
    ],
  );
  if (ended.length < ends.length) throw new LostRace('a purchase ended in another transaction first');
}

/** Puts a renewed token in the place of the one before. Throws a `LostRace` if the purchase is not issued any more. */
export async function setToken(tx: Tx, { merchantId, purchaseId }: PurchaseRef, tokenId: string): Promise<void> {
  const set = await tx.rows(
    `update purchases set token_id = $3 where merchant_id = $1 and purchase_id = $2 and state = 'issued' returning purchase_id`,
    [merchantId, purchaseId, tokenId],
  );
  if (set.length < 1) throw new LostRace('the purchase ended while its token was renewed');
}

/** Leaves a tombstone for purchases that have not come yet. Throws a `LostRace` where one came meanwhile. */
export async function insertTombstones(tx: Tx, refunds: readonly Refund[]): Promise<void> {
  if (refunds.length === 0) return;
  const inserted = await tx.rows(
    `insert into purchases (merchant_id, purchase_id, state, refunded_at, refund_reason)
     select merchant_id, purchase_id, 'refunded', refunded_at, reason
     from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) as refund (merchant_id, purchase_id, refunded_at, reason)
     order by merchant_id, purchase_id
     on conflict do nothing
     returning purchase_id`,
    refundColumns(refunds),
  );
  if (inserted.length < refunds.length) throw new LostRace('the purchase came at the same moment as its refund');
}

/** Ends purchases whose joins are locked as refunded. Throws a `LostRace` if one of them has ended already. */
export async function setRefunded(tx: Tx, refunds: readonly Refund[]): Promise<void> {
  if (refunds.length === 0) return;
  const ended = await tx.rows(
    `update purchases set state = 'refunded', refunded_at = refund.refunded_at, refund_reason = refund.reason
     from unnest($1::text[], $2::text[], $3::timestamptz[], $4::text[]) as refund (merchant_id, purchase_id, refunded_at, reason)
     where purchases.merchant_id = refund.merchant_id and purchases.purchase_id = refund.purchase_id
       and purchases.state in ('awaiting-device', 'issued')
     returning purchases.purchase_id`,
    refundColumns(refunds),
  );
  if (ended.length < refunds.length) throw new LostRace('a purchase ended in another transaction first');
}

function refundColumns(refunds: readonly Refund[]): unknown[] {
  return [
    refunds.map((refund) => refund.merchantId),
    refunds.map((refund) => refund.purchaseId),
    refunds.map((refund) => refund.refundedAt),
    // What a checkout may write and PostgreSQL cannot hold must not keep a refund out.
    refunds.map((refund) => refund.reason?.replaceAll('\0', '') ?? null),
  ];
}

function storedOf(row: PurchaseRow): StoredPurchase {
  const { merchant_id: merchantId, purchase_id: purchaseId } = row;
  return {
    merchantId,
    purchaseId,
    state: row.state,
    code: row.code ?? undefined,
    deviceId: row.device_id ?? undefined,
    tokenId: row.token_id ?? undefined,
    playClock: row.play_clock ?? undefined,
    acceptedAt: row.accepted_at,
    refundedAt: row.refunded_at ?? undefined,
    terms:
      row.cookie === null
        ? undefined
        : {
            merchantId,
            purchaseId,
            cookie: row.cookie,
            deviceId: row.named_device_id ?? undefined,
            contentId: row.content_id,
            kids: row.kids,
            rights: row.rights,
            completedAt: row.completed_at,
          },
  };
}

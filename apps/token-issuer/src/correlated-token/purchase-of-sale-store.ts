import type { CookieRef } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import type { Purchase } from '../purchase.js';
import { purchaseKey } from '../purchase-store.js';
import type { Rows } from '../rows.js';
import { rightsIn } from '../token.js';
import type { PurchaseOfSale, Sale } from './sale.js';

/** Every purchase of a cookie that was not rejected: also those that came after their refund, and are refunded. */
const purchasesOfCookie = `select purchase_id, state, rights, token_id from (
    select purchase_id, state, content_id, kids, rights, accepted_at, token_id from purchases where merchant_id = $1 and cookie = $2 and state <> 'rejected'
    union all
    select purchase_id, 'refunded', content_id, kids, rights, accepted_at, null from late_purchases where merchant_id = $1 and cookie = $2
  ) as come`;

/** Neither refunded nor over: a customer who bought twice, and got one of them back, has the other one still. */
const isOpen = `(state <> 'refunded' and (rights ->> 'type' = 'purchase' or (rights ->> 'availableUntil')::timestamptz > statement_timestamp()))`;

/** The newest of them for which a condition holds, of the open ones where there are any, with its live token. */
async function findNewest(rows: Rows, condition: string, parameters: readonly unknown[]): Promise<PurchaseOfSale | undefined> {
  const [found] = await rows.rows<Omit<PurchaseOfSale, 'tokenRights'> & { readonly token: string | null }>(
    `select newest.purchase_id as "purchaseId", state, rights, token
     from (${purchasesOfCookie} where ${condition} order by ${isOpen} desc, accepted_at desc, purchase_id desc limit 1) as newest
     left join tokens on tokens.token_id = newest.token_id and superseded_at is null and revoked_at is null`,
    parameters,
  );
  if (!found) return undefined;
  const { token, ...purchase } = found;
  return { ...purchase, tokenRights: token === null ? undefined : rightsIn(token) };
}

/** The newest open purchase of a sale; where none is open, the newest that was not rejected. */
export async function findNewestOfSale(rows: Rows, { merchantId, cookie, kid, rightsType }: Sale): Promise<PurchaseOfSale | undefined> {
  return findNewest(rows, `kids = array[$3] and rights ->> 'type' = $4`, [merchantId, cookie, kid, rightsType]);
}

/** The newest open purchase of a content with a cookie; where none is open, the newest that was not rejected. */
export async function findNewestOfContent(rows: Rows, { merchantId, cookie }: CookieRef, contentId: string): Promise<PurchaseOfSale | undefined> {
  return findNewest(rows, 'content_id = $3', [merchantId, cookie, contentId]);
}

/** Writes down what was bought by purchases that came after their refund; answers those (by `purchaseKey`) that came for the first time. */
export async function insertLatePurchases(tx: Tx, purchases: readonly Purchase[]): Promise<ReadonlySet<string>> {
  const written = await tx.rows<{ merchantId: string; purchaseId: string }>(
    `insert into late_purchases (merchant_id, purchase_id, cookie, content_id, kids, rights)
     select merchant_id, purchase_id, cookie, content_id, string_to_array(kids, ','), rights
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::jsonb[])
       as late (merchant_id, purchase_id, cookie, content_id, kids, rights)
     order by merchant_id, purchase_id
     on conflict do nothing
     returning merchant_id as "merchantId", purchase_id as "purchaseId"`,
    [
      purchases.map((one) => one.merchantId),
      purchases.map((one) => one.purchaseId),
      purchases.map((one) => one.cookie),
      purchases.map((one) => one.contentId),
      purchases.map((one) => one.kids.join(',')),
      purchases.map((one) => JSON.stringify(one.rights)),
    ],
  );
  return new Set(written.map(({ merchantId, purchaseId }) => purchaseKey({ merchantId, purchaseId })));
}

import type { Issuer } from '../issuer.js';

/** A purchase that a world is judged by, and whether its refund was accepted. */
export interface JudgedPurchase {
  readonly purchaseId: string;
  readonly merchantId: string;
  readonly refunded: boolean;
  /** Whether its device was registered, so that it must end. */
  readonly mustEnd: boolean;
}

interface Standing {
  readonly state: string | null;
  readonly token_id: string | null;
  readonly live: string[];
  readonly revoked_device: boolean;
}

/**
 * What is wrong with a purchase at the end, by the invariants of the fault suite: a refunded purchase stays refunded
 * and has no live token, an issued one has exactly the live token that it names, and one whose device registered has
 * ended.
 */
export async function judgePurchase(
  issuer: Issuer,
  { purchaseId, merchantId, refunded, mustEnd }: JudgedPurchase,
): Promise<string[]> {
  const [found] = await issuer.rows<Standing>(
    `select purchases.state, purchases.token_id,
       coalesce((select array_agg(token_id) from tokens where merchant_id = $1 and purchase_id = $2
         and superseded_at is null and revoked_at is null), '{}') as live,
       exists (select 1 from tokens join known_devices using (merchant_id, device_id)
         where merchant_id = $1 and tokens.purchase_id = $2 and known_devices.revoked_at is not null) as revoked_device
     from (select 1) as one left join purchases on merchant_id = $1 and purchase_id = $2`,
    [merchantId, purchaseId],
  );
  const { state, token_id: tokenId, live, revoked_device: revokedDevice } = found!;
  const breaches: string[] = [];
  const expect = (holds: boolean, breach: string): void => void (holds || breaches.push(breach));
  expect(
    !refunded || state === 'refunded' || state === 'rejected',
    `an accepted refund is lost: the purchase is ${state}`,
  );
  expect(state !== 'refunded' || live.length === 0, `a refunded purchase has ${live.length} live tokens`);
  expect(state !== 'rejected' || live.length === 0, `a rejected purchase has ${live.length} live tokens`);
  expect(live.length <= 1, `a purchase has ${live.length} live tokens`);
  expect(!revokedDevice || live.length === 0, 'a token of a revoked device is live');
  expect(
    state !== 'issued' || revokedDevice || live[0] === tokenId,
    `an issued purchase names ${tokenId}, and ${live.join()} is live`,
  );
  expect(!mustEnd || (state !== null && state !== 'awaiting-device'), `a purchase whose device registered is ${state}`);
  return [...breaches, ...(await judgeEvents(issuer, purchaseId))];
}

/** What a whole sale is judged by. */
export interface JudgedSale extends JudgedPurchase {
  readonly deviceId: string;
  /** Whether its purchase was accepted, so that it must be known. */
  readonly accepted: boolean;
}

/**
 * What is wrong with a sale: its purchase, and every live token of its device, whether a purchase stands behind it or
 * not.
 */
export async function judgeSale(issuer: Issuer, sale: JudgedSale): Promise<string[]> {
  const { merchantId, deviceId, purchaseId, refunded, accepted, mustEnd } = sale;
  const live = await issuer.rows<{ token_id: string; device_revoked: boolean }>(
    `select token_id, known_devices.revoked_at is not null as device_revoked
     from tokens left join known_devices using (merchant_id, device_id)
     where merchant_id = $1 and device_id = $2 and superseded_at is null and tokens.revoked_at is null`,
    [merchantId, deviceId],
  );
  const breaches = await judgePurchase(issuer, { ...sale, mustEnd: mustEnd && accepted });
  if (live.length > 1) breaches.push(`the device of one sale has ${live.length} live tokens`);
  if (live.some((token) => token.device_revoked)) breaches.push('a revoked device has a live token');
  if (refunded && accepted && live.length > 0) breaches.push('the device of a refunded sale has a live token');
  const known = await issuer.rows('select 1 from purchases where merchant_id = $1 and purchase_id = $2', [
    merchantId,
    purchaseId,
  ]);
  if (accepted && known.length === 0) breaches.push('an accepted purchase is not known');
  return breaches;
}

/** Each token is announced once, and each end of a purchase once. */
async function judgeEvents(issuer: Issuer, purchaseId: string): Promise<string[]> {
  const events = await issuer.rows<{ type: string; token: string | null; count: number }>(
    `select type, data ->> 'tokenId' as token, count(*)::int as count from outbox_events
     where copy_for is null and data ->> 'purchaseId' = $1 group by type, token`,
    [purchaseId],
  );
  return events.filter(({ count }) => count > 1).map(({ type, count }) => `${type} was published ${count} times`);
}

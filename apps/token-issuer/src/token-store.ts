import type { Tx } from '@latchkey/outbox';
import type { DeviceRef } from './known-device-store.js';
import type { PurchaseRef } from './purchase-store.js';
import { LostRace, type Rows } from './rows.js';
import type { CurrentToken, MintedToken } from './token.js';

/** A token that has stopped working before its time. */
export interface StoppedToken {
  readonly merchantId: string;
  readonly tokenId: string;
  readonly purchaseId: string | null;
  readonly deviceId: string;
  readonly stoppedAt: Date;
  readonly expiresAt: Date;
}

/** How long after its expiry a token can still be looked up by whoever investigates a complaint, in days. */
const TOKEN_KEPT_DAYS = 35;

const live = 'superseded_at is null and revoked_at is null';
const currentToken = `token_id as "tokenId", token, tokens.device_id as "deviceId", license_url as "licenseUrl", issued_at as "issuedAt",
  expires_at as "expiresAt"`;
const stoppedToken = `tokens.merchant_id as "merchantId", tokens.token_id as "tokenId", purchase_id as "purchaseId",
  tokens.device_id as "deviceId", expires_at as "expiresAt"`;

/** Stores tokens. The unique index refuses a second live one for a purchase, and with it the whole transaction. */
export async function insertTokens(tx: Tx, tokens: readonly MintedToken[]): Promise<void> {
  if (tokens.length === 0) return;
  await tx.rows(
    `insert into tokens (token_id, merchant_id, purchase_id, device_id, token, kek_ids, signing_key_id, license_url, issued_at, expires_at)
     select token_id, merchant_id, purchase_id, device_id, token, string_to_array(kek_ids, ','), signing_key_id, license_url, issued_at, expires_at
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[], $10::timestamptz[])
       as new (token_id, merchant_id, purchase_id, device_id, token, kek_ids, signing_key_id, license_url, issued_at, expires_at)`,
    [
      tokens.map((token) => token.tokenId),
      tokens.map((token) => token.merchantId),
      tokens.map((token) => token.purchaseId ?? null),
      tokens.map((token) => token.deviceId),
      tokens.map((token) => token.token),
      tokens.map((token) => token.kekIds.join(',')),
      tokens.map((token) => token.signingKeyId ?? null),
      tokens.map((token) => token.licenseUrl ?? null),
      tokens.map((token) => token.issuedAt.toISOString()),
      tokens.map((token) => token.expiresAt.toISOString()),
    ],
  );
}

/** A token by its id, whatever became of it. */
export async function findToken(rows: Rows, merchantId: string, tokenId: string): Promise<CurrentToken | undefined> {
  const [token] = await rows.rows<CurrentToken>(`select ${currentToken} from tokens where merchant_id = $1 and token_id = $2`, [merchantId, tokenId]);
  return token;
}

/** The token of a purchase that was neither superseded nor revoked, and whether its device is revoked. */
export async function findCurrentToken(rows: Rows, { merchantId, purchaseId }: PurchaseRef): Promise<{ token: CurrentToken | undefined; deviceRevoked: boolean }> {
  const [row] = await rows.rows<CurrentToken & { deviceRevoked: boolean }>(
    `select ${currentToken}, revoked.device_id is not null as "deviceRevoked"
     from tokens left join known_devices revoked
       on revoked.merchant_id = tokens.merchant_id and revoked.device_id = tokens.device_id and revoked.revoked_at is not null
     where tokens.merchant_id = $1 and purchase_id = $2 and superseded_at is null and tokens.revoked_at is null`,
    [merchantId, purchaseId],
  );
  return { token: row, deviceRevoked: row?.deviceRevoked ?? false };
}

/** The tokens of a device that work now, newest first, also within one second. Tokens that are bound to an asserted id of the same spelling are among them. */
export async function findLiveTokensOfDevice(rows: Rows, { merchantId, deviceId }: DeviceRef, limit: number): Promise<{ token: string; purchaseId: string | null }[]> {
  return rows.rows(
    `select token, purchase_id as "purchaseId" from tokens
     where merchant_id = $1 and device_id = $2 and ${live} and expires_at > statement_timestamp()
     order by issued_at desc, position desc nulls last, token_id limit $3`,
    [merchantId, deviceId, limit],
  );
}

/** Takes the places of tokens away, so that their purchases or sales can have others. */
export async function supersedeTokens(tx: Tx, tokenIds: readonly string[]): Promise<StoppedToken[]> {
  if (tokenIds.length === 0) return [];
  return tx.rows<StoppedToken>(
    `with doomed as (
       select token_id from tokens where ${live} and token_id = any($1::text[]) order by token_id for update
     )
     update tokens set superseded_at = statement_timestamp() from doomed
     where tokens.token_id = doomed.token_id
     returning ${stoppedToken}, superseded_at as "stoppedAt"`,
    [tokenIds],
  );
}

/** Makes live tokens those of purchases. Throws a `LostRace` where one of them has stopped working meanwhile. */
export async function adoptTokens(tx: Tx, tokens: readonly { readonly tokenId: string; readonly purchaseId: string }[]): Promise<void> {
  if (tokens.length === 0) return;
  const adopted = await tx.rows(
    `with wanted as (
       select tokens.token_id, adopted.purchase_id from tokens
       join unnest($1::text[], $2::text[]) as adopted (token_id, purchase_id) on adopted.token_id = tokens.token_id
       where ${live} order by tokens.token_id for update of tokens
     )
     update tokens set purchase_id = wanted.purchase_id from wanted where tokens.token_id = wanted.token_id
     returning tokens.token_id`,
    [tokens.map(({ tokenId }) => tokenId), tokens.map(({ purchaseId }) => purchaseId)],
  );
  if (adopted.length < tokens.length) throw new LostRace('a token stopped working while its purchase came');
}

/** Revokes the live tokens of purchases. */
export async function revokeTokensOfPurchases(tx: Tx, purchases: readonly PurchaseRef[]): Promise<StoppedToken[]> {
  if (purchases.length === 0) return [];
  return revokeWhere(tx, 'purchase_id', 'refunded', [purchases.map((one) => one.merchantId), purchases.map((one) => one.purchaseId)]);
}

/** Revokes those of these tokens that are live, as refunded. */
export async function revokeTokens(tx: Tx, tokens: readonly { readonly merchantId: string; readonly tokenId: string }[]): Promise<StoppedToken[]> {
  if (tokens.length === 0) return [];
  return revokeWhere(tx, 'token_id', 'refunded', [tokens.map((one) => one.merchantId), tokens.map((one) => one.tokenId)]);
}

/** Revokes the live tokens of devices. */
export async function revokeTokensOfDevices(tx: Tx, devices: readonly DeviceRef[]): Promise<StoppedToken[]> {
  return revokeWhere(tx, 'device_id', 'device-revoked', [devices.map((one) => one.merchantId), devices.map((one) => one.deviceId)]);
}

/** Locks in the order of ids first: a refund and a revocation that meet in the same tokens then wait instead of deadlocking. */
function revokeWhere(tx: Tx, column: 'purchase_id' | 'token_id' | 'device_id', reason: string, parameters: readonly unknown[]): Promise<StoppedToken[]> {
  return tx.rows<StoppedToken>(
    `with doomed as (
       select token_id from tokens
       where ${live} and (merchant_id, ${column}) in (select * from unnest($1::text[], $2::text[]))
       order by token_id for update
     )
     update tokens set revoked_at = statement_timestamp(), revoke_reason = $3 from doomed
     where tokens.token_id = doomed.token_id
     returning ${stoppedToken}, revoked_at as "stoppedAt"`,
    [...parameters, reason],
  );
}

/**
 * Forgets tokens that expired so long ago, at most `limit` of them; resolves to how many. The last token of a purchase stays
 * unless it was revoked: the next renewal begins from it, and without it the purchase would look as if its device was revoked.
 */
export async function forgetEndedTokens(rows: Rows, limit: number): Promise<number> {
  const [gone] = await rows.rows<{ count: number }>(
    `with old as (
       select token_id from tokens
       where (superseded_at is not null or revoked_at is not null or purchase_id is null)
         and expires_at < statement_timestamp() - make_interval(days => $1)
       limit $2 for update skip locked
     ), gone as (
       delete from tokens using old where tokens.token_id = old.token_id returning 1
     ) select count(*)::int as count from gone`,
    [TOKEN_KEPT_DAYS, limit],
  );
  return gone!.count;
}

/** When the last live token that needs each of these KEKs expires; KEKs that none needs are left out. */
export async function findLastExpiryByKek(rows: Rows, otherThanKekId: string): Promise<{ kekId: string; neededUntil: Date }[]> {
  return rows.rows(
    `select kek_id as "kekId", max(expires_at) as "neededUntil"
     from tokens cross join lateral unnest(kek_ids) as used (kek_id)
     where ${live} and expires_at > statement_timestamp() and kek_id <> $1
     group by kek_id order by kek_id`,
    [otherThanKekId],
  );
}

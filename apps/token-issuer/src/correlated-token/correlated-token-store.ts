import type { CookieRef, Rights } from '@latchkey/contracts';
import type { Tx } from '@latchkey/outbox';
import { LostRace, type Rows } from '../rows.js';
import type { CorrelatedToken, Sale } from './sale.js';

interface CorrelatedRow extends Sale {
  readonly tokenId: string;
  readonly contentId: string;
  readonly rights: Rights;
  readonly playClock: string;
  readonly token: string | null;
  readonly deviceId: string;
  readonly licenseUrl: string | null;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  readonly revoked: boolean;
}

const select = `select held.merchant_id as "merchantId", held.cookie, held.kid, held.rights_type as "rightsType", held.token_id as "tokenId",
    held.content_id as "contentId", held.rights, held.play_clock as "playClock",
    tokens.token, tokens.device_id as "deviceId", tokens.license_url as "licenseUrl", tokens.issued_at as "issuedAt", tokens.expires_at as "expiresAt",
    coalesce(tokens.revoked_at is not null, false) as revoked
  from correlated_tokens held left join tokens on tokens.token_id = held.token_id and tokens.superseded_at is null`;

const pairs = '(select * from unnest($1::text[], $2::text[], $3::text[], $4::text[]))';

/** The tokens of these sales, where no purchase of them has come. */
export async function findCorrelatedTokens(rows: Rows, sales: readonly Sale[]): Promise<CorrelatedToken[]> {
  if (sales.length === 0) return [];
  const found = await rows.rows<CorrelatedRow>(`${select} where (held.merchant_id, held.cookie, held.kid, held.rights_type) in ${pairs}`, columnsOf(sales));
  return found.map(correlatedOf);
}

/** The tokens of a cookie for a content, the last one that was issued first. */
export async function findCorrelatedOfContent(rows: Rows, { merchantId, cookie }: CookieRef, contentId: string): Promise<CorrelatedToken[]> {
  const found = await rows.rows<CorrelatedRow>(
    `${select} where held.merchant_id = $1 and held.cookie = $2 and held.content_id = $3 order by tokens.issued_at desc nulls last, tokens.position desc nulls last, held.token_id`,
    [merchantId, cookie, contentId],
  );
  return found.map(correlatedOf);
}

/** Remembers the token of a sale, in the place of the one before. Throws a `LostRace` where another was remembered meanwhile. */
export async function rememberCorrelatedToken(
  tx: Tx,
  correlated: Omit<CorrelatedToken, 'token' | 'revoked'>,
  before: string | undefined,
): Promise<void> {
  const { merchantId, cookie, kid, rightsType, tokenId, contentId, rights, playClock } = correlated;
  const written = await tx.rows(
    `insert into correlated_tokens as held (merchant_id, cookie, kid, rights_type, token_id, content_id, rights, play_clock)
     values ($1, $2, $3, $4, $5, $6, $7, $8)
     on conflict (merchant_id, cookie, kid, rights_type) do update set token_id = excluded.token_id,
       content_id = excluded.content_id, rights = excluded.rights, play_clock = excluded.play_clock
     where held.token_id = $9
     returning token_id`,
    [merchantId, cookie, kid, rightsType, tokenId, contentId, JSON.stringify(rights), playClock, before ?? null],
  );
  if (written.length === 0) throw new LostRace('another transaction issued the token of this sale first');
}

/** Forgets the tokens of sales whose purchases have come. Throws a `LostRace` where one of them is not what was read. */
export async function forgetCorrelatedTokens(tx: Tx, correlated: readonly CorrelatedToken[]): Promise<void> {
  if (correlated.length === 0) return;
  const gone = await tx.rows(
    `delete from correlated_tokens using unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
       as come (merchant_id, cookie, kid, rights_type, token_id)
     where correlated_tokens.merchant_id = come.merchant_id and correlated_tokens.cookie = come.cookie and correlated_tokens.kid = come.kid
       and correlated_tokens.rights_type = come.rights_type and correlated_tokens.token_id = come.token_id
     returning correlated_tokens.token_id`,
    [...columnsOf(correlated), correlated.map(({ tokenId }) => tokenId)],
  );
  if (gone.length < correlated.length) throw new LostRace('the token of a sale changed while its purchase came');
}

function columnsOf(sales: readonly Sale[]): unknown[] {
  return [sales.map((sale) => sale.merchantId), sales.map((sale) => sale.cookie), sales.map((sale) => sale.kid), sales.map((sale) => sale.rightsType)];
}

function correlatedOf({ token, deviceId, licenseUrl, issuedAt, expiresAt, ...row }: CorrelatedRow): CorrelatedToken {
  return { ...row, token: token === null || row.revoked ? undefined : { tokenId: row.tokenId, token, deviceId, licenseUrl, issuedAt, expiresAt } };
}

import { Client } from 'pg';
import type { DeliveryRow, FeedRow, FinalState, QuarantinedRow, TokenRow } from './final-state.js';
import { services, type Service, type Target } from './system/target.js';
import { READ_TOKEN_STEPS } from './token-steps.js';

/** So many messages of a quarantine are looked at; more of them are poison that faults put there. */
const QUARANTINED_MAX = 500;
const BODY_BYTES_MAX = 20_000;

/** The part of the final state that is read from databases and broker. */
export type ReadState = Omit<FinalState, 'healedMs' | 'drainedMs' | 'readMs' | 'baseline' | 'samples' | 'liveTokens' | 'webhook'> & {
  readonly deliveries: readonly DeliveryRow[];
};

/** Reads everything that checkers compare, past all proxies. Nothing may be under way any more. */
export async function readFinalState(target: Target): Promise<ReadState> {
  const [issuer, registry, cookies, licenseServer, feed, deliveries, outbox, queues] = await Promise.all([
    withDatabase(target, 'token-issuer', readIssuer),
    withDatabase(target, 'device-registry', readRegistry),
    withDatabase(target, 'cookie', readCookies),
    withDatabase(target, 'license-server', readLicenseServer),
    withDatabase(target, 'gateway', readFeed),
    withDatabase(target, 'gateway', readDeliveries),
    readOutboxes(target),
    target.queues(),
  ]);
  return { issuer, registry, cookies, licenseServer, feed, deliveries, outbox, queues, quarantined: await readQuarantines(target) };
}

/** How many events wait in each service's outbox. */
export async function readOutboxes(target: Target): Promise<Record<Service, number>> {
  const counts = await Promise.all(
    services.map(async (service): Promise<[Service, number]> => {
      const rows = await withDatabase(target, service, (rows) => rows<{ n: number }>('select count(*)::int as n from outbox_events'));
      return [service, rows[0]!.n];
    }),
  );
  return Object.fromEntries(counts) as Record<Service, number>;
}

/** What will still happen of itself: feed events without their number, deliveries, upstream orders, and purchases that are about to expire. */
export async function countPending(target: Target): Promise<number> {
  const unnumbered = await withDatabase(target, 'gateway', (rows) =>
    rows<{ n: number }>(
      `select (select count(*) from feed_events where sequence is null)::int
         + (select count(*) from webhook_deliveries where state = 'pending')::int as n`,
    ),
  );
  const expiring = await withDatabase(target, 'token-issuer', (rows) =>
    rows<{ n: number }>(
      `select (select count(*) from upstream_orders)::int + count(*)::int as n from purchases
       where state = 'awaiting-device' and cookie_expires_at < statement_timestamp() + interval '5 seconds'`,
    ),
  );
  return unnumbered[0]!.n + expiring[0]!.n;
}

type Rows = <Row>(sql: string) => Promise<Row[]>;

async function withDatabase<T>(target: Target, service: Service, read: (rows: Rows) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: target.databaseUrl(service) });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await read(async <Row>(sql: string) => (await client.query(sql)).rows as Row[]);
  } finally {
    await client.end();
  }
}

const ms = (column: string): string => `(extract(epoch from ${column}) * 1000)::float8`;

async function readIssuer(rows: Rows): Promise<FinalState['issuer']> {
  const purchases = await rows<FinalState['issuer']['purchases'][number]>(
    `select purchase_id as "purchaseId", state, code, cookie, content_id as "contentId", kids, token_id as "tokenId" from purchases order by purchase_id`,
  );
  const bought = new Map(purchases.map((purchase) => [purchase.purchaseId, purchase]));
  const tokens = await rows<Omit<TokenRow, 'cookie' | 'kids' | 'isUpstream'> & { token: string }>(
    `select token_id as "tokenId", purchase_id as "purchaseId", device_id as "deviceId", token, ${ms('issued_at')} as "issuedMs",
       ${ms('expires_at')} as "expiresMs", ${ms('superseded_at')} as "supersededMs", ${ms('revoked_at')} as "revokedMs",
       revoke_reason as "revokeReason"
     from tokens order by issued_at, token_id`,
  );
  return {
    tokens: tokens.map(({ token, ...row }) => ({ ...row, ...(claimsOf(token) ?? whatWasBought(bought.get(row.purchaseId ?? ''))), isUpstream: claimsOf(token) === undefined })),
    tokenSteps: await rows(READ_TOKEN_STEPS),
    purchases,
    joins: await rows(`select cookie, device_id as "deviceId" from cookie_joins order by cookie`),
    devices: await rows(`select device_id as "deviceId", revoked_at is not null as revoked from known_devices order by device_id`),
    signingKeyIds: await idsOf(rows, 'key_id', 'signing_keys'),
  };
}

async function readRegistry(rows: Rows): Promise<FinalState['registry']> {
  return {
    devices: await rows(`select device_id as "deviceId", revoked_at is not null as revoked from devices order by device_id`),
    bindings: await rows(
      `select cookie, account_id as "accountId", device_id as "deviceId", ${ms('registered_at')} as "registeredMs" from bindings order by cookie`,
    ),
    knownCookies: await idsOf(rows, 'cookie', 'known_cookies'),
  };
}

function readCookies(rows: Rows): Promise<FinalState['cookies'][number][]> {
  return rows(`select cookie, ${ms('expires_at')} as "expiresMs", ${ms('bound_at')} as "boundMs" from cookies order by cookie`);
}

async function readLicenseServer(rows: Rows): Promise<FinalState['licenseServer']> {
  return {
    revokedTokenIds: await idsOf(rows, 'token_id', 'revoked_tokens'),
    revokedDeviceIds: await idsOf(rows, 'device_id', 'revoked_devices'),
    signingKeyIds: await idsOf(rows, 'key_id', 'signing_keys'),
  };
}

async function readFeed(rows: Rows): Promise<FeedRow[]> {
  const feed = await rows<{ sequence: string | null; type: string; data: string; receivedMs: number }>(
    `select sequence, type, data, ${ms('received_at')} as "receivedMs" from feed_events order by sequence nulls last, position`,
  );
  return feed.map(({ sequence, type, data, receivedMs }) => ({
    sequence: sequence === null ? null : Number(sequence),
    type,
    data: JSON.parse(data) as FeedRow['data'],
    receivedMs,
  }));
}

async function readDeliveries(rows: Rows): Promise<DeliveryRow[]> {
  return rows('select delivery_id as "deliveryId", sequence::float8 as sequence, state from webhook_deliveries order by sequence');
}

async function idsOf(rows: Rows, column: string, table: string): Promise<string[]> {
  return (await rows<{ id: string }>(`select ${column} as id from ${table} order by 1`)).map(({ id }) => id);
}

type Bought = Pick<TokenRow, 'cookie' | 'kids'>;

/** What a token of ours is for. Its signature needs no check: it comes from the issuer's own books. Undefined for an upstream token. */
function claimsOf(token: string): Bought | undefined {
  const [, claims] = token.split('.');
  if (claims === undefined) return undefined;
  const { cookie, kids } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as Bought;
  return { cookie, kids };
}

/** An upstream token is opaque here. What it is for stands in its purchase. */
function whatWasBought(purchase: FinalState['issuer']['purchases'][number] | undefined): Bought {
  return { cookie: purchase?.cookie ?? 'unknown', kids: purchase?.kids ?? [] };
}

interface PeekedMessage {
  readonly payload: string;
  readonly payload_encoding: string;
  readonly properties: { readonly message_id?: string; readonly headers?: Record<string, unknown> };
}

async function readQuarantines(target: Target): Promise<QuarantinedRow[]> {
  const quarantines = (await target.queues()).filter(({ name, messages }) => name.endsWith('.dlq') && messages > 0);
  const found = await Promise.all(
    quarantines.map(async ({ name }) => {
      const path = `/api/queues/${encodeURIComponent(target.vhostName)}/${encodeURIComponent(name)}/get`;
      const body = { count: QUARANTINED_MAX, ackmode: 'ack_requeue_true', encoding: 'auto', truncate: BODY_BYTES_MAX };
      return (await target.management.request<PeekedMessage[]>('POST', path, body)).map((message) => quarantinedOf(name, message));
    }),
  );
  return found.flat();
}

function quarantinedOf(queue: string, { payload, properties }: PeekedMessage): QuarantinedRow {
  const header = (name: string): string | null => {
    const value = properties.headers?.[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    queue,
    reason: header('latchkey-reason') ?? 'nobody said why',
    messageId: properties.message_id ?? null,
    type: header('cloudEvents_type') ?? header('cloudEvents:type'),
    purchaseId: /"purchaseId":"([^"]+)"/.exec(payload)?.[1] ?? null,
  };
}

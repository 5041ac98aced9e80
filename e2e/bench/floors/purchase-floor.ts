// The floor of the purchase path: raw pg and amqplib. It takes whatever waits, up to 200 messages, writes four inserts in one
// transaction, signs a token for each, publishes with confirms, and acknowledges. No schema check, no join, no relay, no second
// consumer: one message in and one out. What the product costs beyond it is the price of its guarantees and of our own work.
import { type ContentClaims, generateSigningKey, newId, parseKeyRing, signToken } from '@latchkey/crypto';
import { type ConsumeMessage, connect } from 'amqplib';
import { Client } from 'pg';

const BATCH_MAX = 200;
const env = (name: string): string => process.env[name]!;

interface PurchaseData {
  readonly merchantId: string;
  readonly purchaseId: string;
  readonly cookie: string;
  readonly contentId: string;
  readonly kids: readonly string[];
}

const parsed = parseKeyRing(env('FLOOR_KEK'));
if (!parsed.ok) throw new Error('FLOOR_KEK is malformed');
const keyRing = parsed.ring;
const signingKey = generateSigningKey();
const licenseUrl = env('FLOOR_LICENSE_URL');
const deviceId = env('FLOOR_DEVICE_ID');

const database = new Client({ connectionString: env('FLOOR_DATABASE_URL') });
await database.connect();
await database.query(`
  create table inbox (source text, event_id text, primary key (source, event_id));
  create table purchases (merchant_id text, purchase_id text, cookie text, content_id text, state text, token_id text,
    primary key (merchant_id, purchase_id));
  create table tokens (token_id text primary key, merchant_id text, purchase_id text, token text, expires_at timestamptz);
  create table outbox (position bigint generated always as identity primary key, event_id text, data json)`);

const connection = await connect(env('FLOOR_AMQP_URL'), { noDelay: true });
const channel = await connection.createConfirmChannel();
await channel.assertExchange('floor.events', 'topic', { durable: true });
await channel.assertQueue('floor.in', { durable: true, arguments: { 'x-queue-type': 'quorum' } });
await channel.bindQueue('floor.in', 'floor.events', 'purchase.completed.v1');
await channel.prefetch(2 * BATCH_MAX);

const wrapped = new Map<string, string>();
function wrappedKeyOf(merchantId: string, kid: string): string {
  const found = wrapped.get(kid) ?? keyRing.wrapContentKey({ merchantId, kid, key: Buffer.alloc(16, 7) });
  wrapped.set(kid, found);
  return found;
}

function claimsOf({ merchantId, purchaseId, cookie, contentId, kids }: PurchaseData): ContentClaims {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: 'latchkey',
    aud: licenseUrl,
    iat,
    exp: iat + 86_400,
    jti: newId('tok'),
    merchant: merchantId,
    cookie,
    purchase: purchaseId,
    content: contentId,
    kids,
    keys: kids.map((kid) => wrappedKeyOf(merchantId, kid)),
    rights: { type: 'purchase' },
    cnf: { jkt: deviceId },
  };
}

async function handle(batch: readonly ConsumeMessage[]): Promise<void> {
  const purchases = batch.map(({ content }) => JSON.parse(content.toString()) as PurchaseData);
  const tokens = purchases.map((purchase) => {
    const claims = claimsOf(purchase);
    return { purchase, claims, token: signToken(signingKey, 'content', claims) };
  });
  const events = tokens.map(({ purchase, claims }) => ({
    id: crypto.randomUUID(),
    data: JSON.stringify({ merchantId: purchase.merchantId, tokenId: claims.jti, purchaseId: purchase.purchaseId, cookie: purchase.cookie }),
  }));
  const merchants = purchases.map(({ merchantId }) => merchantId);
  const ids = purchases.map(({ purchaseId }) => purchaseId);
  const tokenIds = tokens.map(({ claims }) => claims.jti);
  const run = (name: string, text: string, values: unknown[]): Promise<unknown> => database.query({ name, text, values });
  await database.query('begin');
  await run('inbox', 'insert into inbox select * from unnest($1::text[], $2::text[]) on conflict do nothing', [
    batch.map(() => 'urn:floor'),
    batch.map(({ properties }) => String(properties.messageId)),
  ]);
  await run('purchases', `insert into purchases select m, p, c, f, 'issued', t from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) as new (m, p, c, f, t)`, [
    merchants,
    ids,
    purchases.map(({ cookie }) => cookie),
    purchases.map(({ contentId }) => contentId),
    tokenIds,
  ]);
  await run('tokens', 'insert into tokens select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::timestamptz[])', [
    tokenIds,
    merchants,
    ids,
    tokens.map(({ token }) => token),
    tokens.map(({ claims }) => new Date(claims.exp * 1000).toISOString()),
  ]);
  await run('outbox', 'insert into outbox (event_id, data) select * from unnest($1::text[], $2::json[])', [
    events.map(({ id }) => id),
    events.map(({ data }) => data),
  ]);
  await database.query('commit');
  for (const { id, data } of events) {
    channel.publish('floor.events', 'token.issued.v1', Buffer.from(data), { messageId: id, mandatory: true, persistent: true, contentType: 'application/json' });
  }
  await channel.waitForConfirms();
  channel.ack(batch.at(-1)!, true);
}

let waiting: ConsumeMessage[] = [];
let running = false;

async function work(): Promise<void> {
  running = true;
  while (waiting.length > 0) {
    const batch = waiting.slice(0, BATCH_MAX);
    waiting = waiting.slice(BATCH_MAX);
    await handle(batch);
  }
  running = false;
}

await channel.consume('floor.in', (message) => {
  if (!message) throw new Error('the broker cancelled the consumer');
  waiting.push(message);
  if (!running) void work();
});
process.stdout.write('ready\n');
process.on('SIGTERM', () => process.exit(0));

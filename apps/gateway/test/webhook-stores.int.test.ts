import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { generateKeyEncryptionKey } from '@latchkey/crypto';
import { createTestDatabase, eventually, type TestDatabase } from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger, type Logger, openDatabase, readConfiguration } from '@latchkey/service-defaults';
import type { DataSource } from 'typeorm';
import type { GatewayConfiguration } from '../src/config.js';
import { FeedStore } from '../src/feed/feed-store.js';
import { gatewayService } from '../src/index.js';
import { judgeAttempt } from '../src/webhooks/attempt-verdict.js';
import { type ClaimedDelivery, type ClaimLimits, DeliveryQueue } from '../src/webhooks/delivery-queue.js';
import { DeliveryStore, pruningReasons } from '../src/webhooks/delivery-store.js';
import { WebhookHousekeeping } from '../src/webhooks/webhook-housekeeping.js';
import { WebhookSecrets } from '../src/webhooks/webhook-secrets.js';
import { WebhookStore } from '../src/webhooks/webhook-store.js';

let database: TestDatabase;
let dataSource: DataSource;
let feed: FeedStore;
let webhooks: WebhookStore;
let deliveries: DeliveryStore;
let queue: DeliveryQueue;
let outbox: Outbox;

beforeAll(async () => {
  database = await createTestDatabase();
  const { migrations } = gatewayService;
  dataSource = await openDatabase({ url: database.url, service: 'gateway', migrations, poolSizeMax: 10, logger: createLogger('test', 'silent') }, 10_000);
  outbox = new Outbox(dataSource, []);
  feed = new FeedStore(dataSource, outbox);
  webhooks = new WebhookStore(dataSource, outbox);
  deliveries = new DeliveryStore(dataSource, outbox);
  queue = new DeliveryQueue(dataSource, outbox);
  await dataSource.query(`insert into merchants (merchant_id) values ('default'), ('other')`);
});
afterAll(async () => {
  await dataSource?.destroy();
  await database.drop();
});
beforeEach(async () => {
  await dataSource.query('truncate feed_events, webhooks, webhook_deliveries');
  await dataSource.query('update feed_state set last_sequence = 0');
});

const make = (webhookId: string, more: { merchantId?: string; eventTypes?: string[]; wrappedSecret?: string } = {}): Promise<unknown> =>
  webhooks.transaction((tx) => webhooks.insert(tx, { webhookId, merchantId: 'default', url: 'https://shop.invalid/', eventTypes: undefined, description: undefined, wrappedSecret: 'w1.x', ...more }));
const number = (): Promise<number> => feed.number((tx, numbered) => deliveries.enqueue(tx, numbered));
async function say(count: number, merchantId = 'default', type = 'test.v1'): Promise<void> {
  await outbox.transaction((tx) => feed.append(tx, Array.from({ length: count }, (_, n) => ({ merchantId, type, data: { n, odd: 'a\u0000b \ud800' } }))));
  await number();
}
const claim = (limits: Partial<ClaimLimits> = {}): Promise<ClaimedDelivery[]> => queue.claim({ failing: false, perWebhook: 4, limit: 100, underWay: new Map(), leaseSeconds: 30, ...limits });
const byWebhook = (claimed: readonly ClaimedDelivery[]): Record<string, number> => Object.fromEntries(Object.entries(Object.groupBy(claimed, ({ webhookId }) => webhookId)).map(([id, list]) => [id, list!.length]));
const rows = (): Promise<{ webhook_id: string; sequence: string; state: string }[]> => dataSource.query('select webhook_id, sequence, state from webhook_deliveries order by webhook_id, sequence');
const [taken, refused] = [200, 500].map((status) => judgeAttempt({ kind: 'answered', status, retryAfterSeconds: undefined }, 1, 0));

describe('deliveries', () => {
  it('are made with the number of their event, for its merchant’s webhooks of its type, and once', async () => {
    await make('wh_all');
    await make('wh_some', { eventTypes: ['other.v1'] });
    await make('wh_other', { merchantId: 'other' });
    await say(2);
    await say(1, 'default', 'other.v1');
    await say(1, 'other');
    expect((await rows()).map(({ webhook_id, sequence }) => `${webhook_id} ${sequence}`)).toEqual(['wh_all 1', 'wh_all 2', 'wh_all 3', 'wh_other 4', 'wh_some 3']);
    expect(await number()).toBe(0);
    expect(await rows()).toHaveLength(5);
    const [first] = await claim({ limit: 1 });
    expect(JSON.parse(first!.data)).toEqual({ n: 0, odd: 'a\u0000b \ud800' });
  });

  it('are not there where the number is not', async () => {
    await make('wh_all');
    await outbox.transaction((tx) => feed.append(tx, [{ merchantId: 'default', type: 'test.v1', data: {} }]));
    const failing = feed.number(async (tx, numbered) => {
      await deliveries.enqueue(tx, numbered);
      throw new Error('the database went away');
    });
    await expect(failing).rejects.toThrow('the database went away');
    expect([await rows(), await feed.lastSequence()]).toEqual([[], 0]);
    await number();
    expect(await rows()).toHaveLength(1);
  });

  it('are made by many replicas at once, once each', async () => {
    await make('wh_all');
    await outbox.transaction((tx) => feed.append(tx, Array.from({ length: 2_500 }, (_, n) => ({ merchantId: 'default', type: 'test.v1', data: { n } }))));
    await Promise.all(Array.from({ length: 5 }, number));
    const sequences = (await rows()).map(({ sequence }) => Number(sequence));
    expect(sequences).toEqual(Array.from({ length: 2_500 }, (_, n) => n + 1));
  });
});

describe('a claim', () => {
  it('takes of each webhook in turn, so many at most, with what is under way', async () => {
    for (const id of ['wh_1', 'wh_2', 'wh_3']) await make(id);
    await say(10);
    expect(byWebhook(await claim({ underWay: new Map([['wh_1', 4], ['wh_2', 3]]) }))).toEqual({ wh_2: 1, wh_3: 4 });
    expect(byWebhook(await claim({ limit: 3 }))).toEqual({ wh_1: 1, wh_2: 1, wh_3: 1 });
  });

  it('is nobody else’s, however many ask at once', async () => {
    await make('wh_1');
    await say(100);
    const claims = (await Promise.all(Array.from({ length: 10 }, () => claim({ perWebhook: 20 })))).flat();
    expect(new Set(claims.map(({ deliveryId }) => deliveryId)).size).toBe(claims.length);
    expect(claims.length).toBeGreaterThanOrEqual(20);
  });

  it('ends with its lease: what its holder says later does not count', async () => {
    await make('wh_1');
    await say(1);
    const [dead] = await claim();
    expect(await claim()).toEqual([]);
    await dataSource.query('update webhook_deliveries set leased_until = clock_timestamp()');
    const [heir] = await claim();
    expect(heir).toMatchObject({ deliveryId: dead!.deliveryId, attempt: 1 });
    expect(await queue.settle(dead!, taken!)).toBe(false);
    expect((await rows())[0]!.state).toBe('pending');
    await queue.release(dead!);
    expect(await claim()).toEqual([]);
    expect(await queue.settle(heir!, taken!)).toBe(true);
    expect((await rows())[0]!.state).toBe('delivered');
  });

  it('is over when its delivery is asked for again: what its holder says later does not count', async () => {
    await make('wh_1');
    await say(1);
    const [running] = await claim();
    await deliveries.askFor('wh_1', running!.deliveryId);
    expect(await queue.settle(running!, judgeAttempt({ kind: 'answered', status: 410, retryAfterSeconds: undefined }, 10, 0))).toBe(false);
    expect((await claim()).map(({ deliveryId, attempt }) => [deliveryId, attempt])).toEqual([[running!.deliveryId, 1]]);
  });

  it('is of a disabled webhook only what was asked for', async () => {
    await make('wh_1');
    await say(3);
    const [one] = await claim({ limit: 1 });
    await queue.settle(one!, judgeAttempt({ kind: 'answered', status: 410, retryAfterSeconds: undefined }, 1, 0));
    expect(await claim({ failing: true })).toEqual([]);
    await deliveries.askFor('wh_1', one!.deliveryId);
    expect((await claim({ failing: true })).map(({ deliveryId }) => deliveryId)).toEqual([one!.deliveryId]);
  });

  it('that was given back is there at once, as if nobody had had it', async () => {
    await make('wh_1');
    await say(1);
    const [first] = await claim();
    await queue.release(first!);
    expect((await claim()).map(({ deliveryId, attempt }) => [deliveryId, attempt])).toEqual([[first!.deliveryId, 1]]);
  });

  it('is of webhooks that fail, or of those that do not', async () => {
    await make('wh_1');
    await say(3);
    const [one, two] = await claim();
    await queue.settle(one!, refused!);
    await dataSource.query('update webhook_deliveries set lease_id = null, leased_until = null');
    expect(await claim({ failing: false })).toEqual([]);
    expect(byWebhook(await claim({ failing: true, perWebhook: 1 }))).toEqual({ wh_1: 1 });
    await dataSource.query(`update webhook_deliveries set lease_id = $1, leased_until = clock_timestamp() + interval '1 minute' where delivery_id = $2`, [two!.leaseId, two!.deliveryId]);
    await queue.settle(two!, taken!);
    expect(await claim({ failing: true })).toEqual([]);
  });
});

describe('housekeeping', () => {
  const old = `clock_timestamp() - interval '8 days'`;

  it('forgets what was settled long ago, what a removed webhook left, and what waits for a disabled one, and nothing else', async () => {
    for (const id of ['wh_old', 'wh_new', 'wh_waits', 'wh_disabled']) await make(id);
    await say(2);
    await make('wh_removed');
    await say(1);
    await webhooks.remove('default', 'wh_removed');
    await dataSource.query(`update webhook_deliveries set state = 'failed', settled_at = ${old} where webhook_id = 'wh_old' and sequence < 3`);
    await dataSource.query(`update webhook_deliveries set state = 'delivered', settled_at = clock_timestamp() where webhook_id = 'wh_new'`);
    await dataSource.query(`update webhook_deliveries set due_at = ${old} where webhook_id in ('wh_waits', 'wh_disabled') and sequence < 3`);
    await dataSource.query(`update webhooks set disabled_at = ${old} where webhook_id = 'wh_disabled'`);
    expect(await deliveries.prune('settled', 7, 1)).toBe(1);
    const pruned: number[] = [];
    for (const reason of pruningReasons) pruned.push(await deliveries.prune(reason, 7, 100));
    expect(pruned).toEqual([1, 2, 1]);
    for (const reason of pruningReasons) expect(await deliveries.prune(reason, 7, 100)).toBe(0);
    const left = Object.groupBy(await rows(), ({ webhook_id }) => webhook_id);
    expect(Object.fromEntries(Object.entries(left).map(([id, list]) => [id, list!.map(({ sequence }) => sequence)]))).toEqual({
      wh_disabled: ['3'],
      wh_new: ['1', '2', '3'],
      wh_old: ['3'],
      wh_waits: ['1', '2', '3'],
    });
  });

  it('takes secrets along to a new key, so that the old one can go', async () => {
    const [w1, w2] = [generateKeyEncryptionKey(), generateKeyEncryptionKey()];
    const configured = (keys: string): GatewayConfiguration =>
      readConfiguration(gatewayService.settings, { DATABASE_URL: database.url, AMQP_URL: 'amqp://nowhere', LATCHKEY_LICENSE_URL: 'http://127.0.0.1/', LATCHKEY_WEBHOOK_KEY: keys });
    const secretsWith = (keys: string): WebhookSecrets => new WebhookSecrets(configured(keys));
    const before = secretsWith(`w1:${w1}`);
    const [first, second] = [before.make('wh_1'), before.make('wh_1')];
    await make('wh_1', { wrappedSecret: first.wrapped });
    await webhooks.replaceSecret('default', 'wh_1', second.wrapped, 3_600);
    const both = `w2:${w2},w1:${w1}`;
    const logger: Logger = createLogger('test', 'silent');
    const housekeeping = new WebhookHousekeeping(deliveries, webhooks, secretsWith(both), configured(both), logger);
    housekeeping.onApplicationBootstrap();
    await eventually(async () => expect(await webhooks.notWrappedUnder('w2')).toEqual([]));
    await housekeeping.beforeApplicationShutdown();
    const [row] = await dataSource.query<{ secret: string; previous_secret: string }[]>('select secret, previous_secret from webhooks');
    const after = secretsWith(`w2:${w2}`);
    expect([after.open('wh_1', row!.secret), after.open('wh_1', row!.previous_secret)]).toEqual([second.secret, first.secret]);
    // In another webhook's row, or without its key, it opens nothing.
    expect([after.open('wh_2', row!.secret), before.open('wh_1', row!.secret)]).toEqual([undefined, undefined]);
  });

  it('gives up what has waited too long, but not what is under way, nor for a disabled webhook, nor what was asked for since', async () => {
    for (const id of ['wh_1', 'wh_disabled']) await make(id);
    await say(4);
    const [underWay] = await claim({ limit: 1 });
    await dataSource.query(`update webhook_deliveries set series_started_at = series_started_at - interval '4 days 1 second' where sequence < 4`);
    await dataSource.query(`update webhooks set disabled_at = clock_timestamp() where webhook_id = 'wh_disabled'`);
    const ofFirst = async (): Promise<string[]> => (await rows()).filter(({ webhook_id }) => webhook_id === 'wh_1').map(({ state }) => state);
    const asked = (await deliveries.ofWebhook('wh_1', { state: 'pending', before: undefined, limit: 10 })).find(({ sequence }) => sequence === 3)!;
    await deliveries.askFor('wh_1', asked.deliveryId);
    expect(underWay).toMatchObject({ webhookId: 'wh_1' });
    expect(await deliveries.giveUp(4, 100)).toBe(1);
    expect(await ofFirst()).toEqual(['pending', 'failed', 'pending', 'pending']);
    await queue.release(underWay!);
    expect(await deliveries.giveUp(4, 100)).toBe(1);
    expect((await rows()).filter(({ webhook_id }) => webhook_id === 'wh_disabled').map(({ state }) => state)).toEqual(['pending', 'pending', 'pending', 'pending']);
  });

  it('forgets the secret before when its time is over', async () => {
    await make('wh_1');
    await webhooks.replaceSecret('default', 'wh_1', 'w1.y', 3_600);
    await webhooks.forgetPreviousSecrets();
    const read = async (): Promise<unknown> => (await dataSource.query<unknown[]>('select secret, previous_secret from webhooks'))[0];
    expect(await read()).toEqual({ secret: 'w1.y', previous_secret: 'w1.x' });
    await dataSource.query('update webhooks set previous_secret_until = clock_timestamp()');
    await webhooks.forgetPreviousSecrets();
    expect(await read()).toEqual({ secret: 'w1.y', previous_secret: null });
  });
});

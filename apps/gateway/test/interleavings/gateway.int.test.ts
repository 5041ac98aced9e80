import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  createTestDatabase,
  Explorer,
  interleavingBounds,
  type Rewrite,
  type Scenario,
  type TestDatabase,
} from '@latchkey/kits';
import { Outbox } from '@latchkey/outbox';
import { createLogger, openDatabase } from '@latchkey/service-defaults';
import type { DataSource } from 'typeorm';
import { performAdminCommand } from '../../src/admin/perform-admin-command.js';
import { ApiKeyStore } from '../../src/api-keys/api-key-store.js';
import { FeedStore } from '../../src/feed/feed-store.js';
import { gatewayService } from '../../src/index.js';
import { judgeAttempt } from '../../src/webhooks/attempt-verdict.js';
import { type ClaimedDelivery, DeliveryQueue } from '../../src/webhooks/delivery-queue.js';
import { DeliveryStore } from '../../src/webhooks/delivery-store.js';
import { WebhookStore } from '../../src/webhooks/webhook-store.js';

const MERCHANT = 'default';
let database: TestDatabase;
let dataSource: DataSource;
let explorer: Explorer;
let outbox: Outbox;
let feed: FeedStore;
let webhooks: WebhookStore;
let deliveries: DeliveryStore;
let queue: DeliveryQueue;
let keys: ApiKeyStore;

beforeAll(async () => {
  database = await createTestDatabase();
  const { migrations } = gatewayService;
  const logger = createLogger('gateway', 'silent');
  dataSource = await openDatabase(
    { url: database.url, service: 'gateway', migrations, poolSizeMax: 10, logger },
    10_000,
  );
  outbox = new Outbox(dataSource, []);
  feed = new FeedStore(dataSource, outbox);
  webhooks = new WebhookStore(dataSource, outbox);
  deliveries = new DeliveryStore(dataSource, outbox);
  queue = new DeliveryQueue(dataSource, outbox);
  keys = new ApiKeyStore(dataSource, outbox);
  await dataSource.query(`insert into merchants (merchant_id) values ('${MERCHANT}')`);
  explorer = await Explorer.open(database.url, [dataSource]);
});

afterAll(async () => {
  await explorer.close();
  await dataSource.destroy();
  await database.drop();
});

type Results = ReadonlyMap<string, PromiseSettledResult<unknown>>;
const failuresOf = (results: Results): string[] =>
  [...results].flatMap(([name, result]) =>
    result.status === 'rejected' ? [`${name} failed: ${String(result.reason)}`] : [],
  );
const valueOf = <T>(results: Results, name: string): T | undefined => {
  const result = results.get(name);
  return result?.status === 'fulfilled' ? (result.value as T) : undefined;
};

async function clear(): Promise<void> {
  await dataSource.query('truncate feed_events, webhooks, webhook_deliveries');
  await dataSource.query('update feed_state set last_sequence = 0');
}
const append =
  (...names: string[]) =>
  () =>
    outbox.transaction((tx) =>
      feed.append(
        tx,
        names.map((name) => ({ merchantId: MERCHANT, type: 'test.v1', data: { name } })),
      ),
    );
const number = () => feed.number((tx, numbered) => deliveries.enqueue(tx, numbered));

/** A reader sees each event once and in order although two replicas append and two give numbers. */
const numbering: Scenario = {
  name: 'feed: append × append and number × number × read',
  prepare: async () => {
    await clear();
    const seen: number[] = [];
    const read = async (): Promise<void> =>
      void seen.push(...(await feed.after(seen.at(-1) ?? 0, 100)).map(({ sequence }) => sequence));
    return {
      work: {
        one: async () => {
          await append('a', 'b')();
          await number();
        },
        two: async () => {
          await append('c')();
          await number();
        },
        reader: async () => {
          await read();
          await read();
          await read();
        },
      },
      judge: async (results) => {
        await number();
        await read();
        return [...failuresOf(results), ...(seen.join() === '1,2,3' ? [] : [`a reader saw ${seen.join()}`])];
      },
    };
  },
};

async function withDeliveries(): Promise<void> {
  await clear();
  const webhook = {
    webhookId: 'wh_one',
    merchantId: MERCHANT,
    url: 'https://shop.invalid/',
    eventTypes: undefined,
    description: undefined,
    wrappedSecret: 'w1.x',
  };
  await webhooks.transaction((tx) => webhooks.insert(tx, webhook));
  await append('a', 'b', 'c')();
  await number();
}
const claim = () => queue.claim({ failing: false, perWebhook: 2, limit: 2, underWay: new Map(), leaseSeconds: 30 });
const [taken, refused] = [200, 500].map((status) =>
  judgeAttempt({ kind: 'answered', status, retryAfterSeconds: undefined }, 1, 0),
);

const claims: Scenario = {
  name: 'webhooks: claim × claim',
  prepare: async () => {
    await withDeliveries();
    return {
      work: { one: claim, two: claim },
      judge: async (results) => {
        const claimed = ['one', 'two']
          .flatMap((name) => valueOf<ClaimedDelivery[]>(results, name) ?? [])
          .map(({ deliveryId }) => deliveryId);
        return [
          ...failuresOf(results),
          ...(new Set(claimed).size === claimed.length ? [] : ['a delivery was claimed twice']),
        ];
      },
    };
  },
};

const outcomes: Scenario = {
  name: 'webhooks: delivered × refused of one lease × another claim',
  prepare: async () => {
    await withDeliveries();
    const [delivery] = await claim();
    return {
      work: {
        delivered: () => queue.settle(delivery!, taken!),
        refused: () => queue.settle(delivery!, refused!),
        claim,
      },
      judge: async (results) => {
        const [row] = await dataSource.query<{ attempts: number; state: string }[]>(
          'select attempts, state from webhook_deliveries where delivery_id = $1',
          [delivery!.deliveryId],
        );
        const won = [valueOf<boolean>(results, 'delivered'), valueOf<boolean>(results, 'refused')].filter(
          Boolean,
        ).length;
        const counted =
          won === 1 && row!.attempts === 1
            ? []
            : [`${won} outcomes of one lease were written, ${row!.attempts} attempts counted`];
        const lost =
          valueOf<boolean>(results, 'delivered') && row!.state !== 'delivered'
            ? ['a delivery that arrived is attempted again']
            : [];
        return [...failuresOf(results), ...counted, ...lost];
      },
    };
  },
};

type Rotated = { keyId?: string; error?: string };

/** A key that is revoked has no successor that was made after, and one that is rotated away at once has one. */
const rotations = (other: 'rotate' | 'revoke'): Scenario => ({
  name: `API keys: rotate × ${other}`,
  prepare: async () => {
    const made = (await performAdminCommand(keys, {
      kind: 'create-key',
      merchantId: MERCHANT,
      scopes: ['purchases'] as never,
      env: 'test',
    })) as Rotated;
    const keyId = made.keyId!;
    const rotate = () => performAdminCommand(keys, { kind: 'rotate-key', keyId, overlapSeconds: 0 });
    return {
      work: {
        one: rotate,
        two: other === 'rotate' ? rotate : () => performAdminCommand(keys, { kind: 'revoke-key', keyId }),
      },
      judge: async (results) => {
        const old = await keys.find(keyId);
        const successors = ['one', 'two']
          .map((name) => valueOf<Rotated>(results, name))
          .filter((value) => value?.keyId !== undefined && value.keyId !== keyId);
        const breaches = failuresOf(results);
        if (old!.live) breaches.push('the old key is live');
        if (other === 'rotate' && successors.length !== 1)
          breaches.push(`${successors.length} keys took over from one`);
        if (other === 'revoke' && old!.revokedAt === null) breaches.push('a revocation is lost');
        return breaches;
      },
    };
  },
});

describe('the gateway', () => {
  it.each([numbering, claims, outcomes, rotations('rotate'), rotations('revoke')])(
    '$name',
    async (scenario) => {
      const { broken } = await explorer.explore(scenario, interleavingBounds({ schedulesMax: 80 }));
      expect(broken?.report).toBeUndefined();
    },
    240_000,
  );

  it.each<[string, Scenario, Rewrite]>([
    [
      'two numbers for one place without the lock on the feed’s state',
      numbering,
      (sql) => sql.replace('select last_sequence from feed_state for update', 'select last_sequence from feed_state'),
    ],
    ['a delivery that is claimed twice without row locks', claims, (sql) => sql.replace('for update skip locked', '')],
    [
      'two successors of one key without the key’s lock',
      rotations('rotate'),
      (sql) => (sql.includes('from api_keys') ? sql.replace('for update', '') : sql),
    ],
  ])(
    'is found to give %s',
    async (_, scenario, rewrite) => {
      const { broken } = await explorer.explore(
        scenario,
        interleavingBounds({ preemptionsMax: 2, schedulesMax: 400 }),
        rewrite,
      );
      expect(broken?.breaches).toBeDefined();
    },
    120_000,
  );
});

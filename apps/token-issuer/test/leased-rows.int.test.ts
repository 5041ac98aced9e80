import { createTestDatabase, type TestDatabase } from '@latchkey/kits';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Rows } from '../src/rows.js';
import { LeasedRows } from '../src/upstream/leased-rows.js';
import { Issuer } from './issuer.js';

let database: TestDatabase;
let issuer: Issuer;

beforeAll(async () => {
  database = await createTestDatabase();
  issuer = await Issuer.start(database.url);
});
afterAll(async () => {
  await issuer.stop();
  await database.drop();
});

it('what is due is found without looking through all that is not', async () => {
  await issuer.rows(`insert into upstream_orders (merchant_id, purchase_id, due_at)
    select 'busy', 'order-' || number, clock_timestamp() + interval '1 hour' from generate_series(1, 20000) number`);
  await issuer.rows('analyze upstream_orders');
  const explained: Rows = { rows: (sql, parameters) => issuer.rows(`explain ${sql}`, [...(parameters ?? [])]) };
  const plan = await new LeasedRows('upstream_orders', 'purchase_id').claim(explained, 'busy', { limit: 8, leaseSeconds: 20 });
  expect(JSON.stringify(plan)).toMatch(/Index Cond: \(\(merchant_id = '?\w+'?(?:::text)?\) AND \(due_at <= /);
});

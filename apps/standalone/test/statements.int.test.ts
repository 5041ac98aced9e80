import { globSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createTestDatabase } from '@latchkey/kits';
import { createLogger, openDatabase } from '@latchkey/service-defaults';
import { Client } from 'pg';
import { services } from '../src/services.js';
import { fillTables } from './fill-tables.js';
import { findSlowStatements, type SlowStatement } from './slow-statements.js';
import { findStatements, type FoundStatement } from './find-statements.js';
import { given } from './given-values.js';

const root = join(import.meta.dirname, '../../..');
const ROWS = 100_000;

/** Tables that grow with merchants and their keys, not with what they sell: some hundred rows. */
const small: ReadonlySet<string> = new Set(['merchants', 'api_keys', 'webhooks', 'signing_keys', 'retired_signing_keys']);

/** Statements that read a whole table on purpose, by a part of their text, with the reason. */
const exempt: readonly { readonly part: string; readonly reason: string }[] = [
  { part: 'from upstream_orders group by merchant_id', reason: 'orders that wait for a provider; each is asked for again within minutes' },
  { part: 'asked.asked_for', reason: 'its partial index holds only what a merchant asked for by hand' },
];

/** Statements that are put together at run time, as they run. */
const composed: Readonly<Record<string, readonly string[]>> = {
  'license-server': [
    `subject like 'purchase/%' and available_until < statement_timestamp() - interval '1 hour'`,
    `subject like 'token/%' and available_until < statement_timestamp() - interval '400 days'`,
  ].map((ended) => `delete from rental_clocks where ctid = any(array(select ctid from rental_clocks where ${ended} limit 20000 for update skip locked))`),
};

const sourcesOf = (folder: string): readonly string[] =>
  globSync(`${folder}/**/*.ts`, { cwd: root }).filter((file) => !/\.spec\.ts$|migrat/.test(file));
const shared = ['libs/outbox/src', 'libs/service-defaults/src'].flatMap(sourcesOf);

async function onFilledDatabase<T>(service: (typeof services)[number], work: (client: Client) => Promise<T>): Promise<T> {
  const database = await createTestDatabase();
  const client = new Client({ connectionString: database.url });
  const { messaging, migrations } = service;
  const logger = createLogger(messaging.service, 'silent');
  const dataSource = await openDatabase({ url: database.url, service: messaging.service, migrations, poolSizeMax: 1, logger }, 0);
  await dataSource.destroy();
  await client.connect();
  try {
    await fillTables(client, ROWS);
    return await work(client);
  } finally {
    await client.end();
    await database.drop();
  }
}

const isExempt = ({ sql }: FoundStatement): boolean => exempt.some(({ part }) => sql.includes(part));
const shown = ({ place, why, sql }: SlowStatement): string => `${place}: ${why}\n  ${sql}`;

describe.each(services.map((service) => [service.messaging.service, service] as const))('the statements of %s', (name, service) => {
  const found = findStatements(root, [...sourcesOf(`apps/${name}/src`), ...shared], given);

  const more = (composed[name] ?? []).map((sql) => ({ place: 'composed', sql }));

  it('are all found in the source', () => {
    expect(found.unresolved).toEqual([]);
    expect(found.statements.length).toBeGreaterThan(10);
  });

  it(
    'read large tables by an index condition',
    async () => {
      const slow = await onFilledDatabase(service, (client) => findSlowStatements(client, [...found.statements, ...more], small));
      expect(slow.filter((one) => !isExempt(one)).map(shown)).toEqual([]);
    },
    600_000,
  );
});

describe('the search for slow statements', () => {
  const [cookie] = services.filter(({ messaging }) => messaging.service === 'cookie');
  const { statements } = findStatements(root, sourcesOf('apps/cookie/src'), given);
  const slowWhen = (act: string): Promise<readonly SlowStatement[]> =>
    onFilledDatabase(cookie!, async (client) => {
      await client.query(act);
      return findSlowStatements(client, statements, small);
    });

  it('finds the statement whose index is gone', async () => {
    expect((await slowWhen('drop index cookies_unbound_expiry')).map(({ why }) => why)).toEqual(['Seq Scan of cookies']);
  }, 600_000);

  it('finds a time that no index serves, and a text that is no statement', async () => {
    const volatile = { place: 'here', sql: 'select 1 from cookies where bound_at is null and expires_at < clock_timestamp()' };
    const broken = { place: 'there', sql: 'select from where' };
    const slow = await onFilledDatabase(cookie!, (client) => findSlowStatements(client, [volatile, broken], small));
    expect(slow.map(({ place }) => place)).toEqual(['here', 'there']);
  }, 600_000);
});

import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { services } from '../src/services.js';
import { findStatements, type FoundStatement } from './find-statements.js';
import { given } from './given-values.js';

const root = join(import.meta.dirname, '../../..');

/**
 * Statements on tables of merchants that do not restrict by the merchant: how many there are in each file, and why that is right.
 * A number, so that one more in the same file is red.
 */
const acrossMerchants: Readonly<Record<string, { readonly statements: number; readonly reason: string }>> = {
  'known-cookie-store.ts': { statements: 1, reason: 'retention, of all merchants' },
  'purchase-store.ts': { statements: 1, reason: 'a metric' },
  'token-store.ts': { statements: 3, reason: 'adoption by token ids that were read for their merchant; retention; KEKs in use' },
  'delivery-queue.ts': { statements: 4, reason: 'deliveries of all merchants are sent by one queue; webhook ids are unique' },
  'delivery-store.ts': { statements: 2, reason: 'giving up and retention, of all merchants' },
  'webhook-store.ts': { statements: 4, reason: 'the key of secrets is rotated for all merchants; webhook ids are unique' },
  'feed-store.ts': { statements: 4, reason: 'one writer numbers the events of all merchants; each stream filters by its own' },
  'api-key-store.ts': { statements: 5, reason: 'key ids are unique, and say whose key it is' },
};

/** A statement on a table with merchants, which names none in what follows its tables. New rows carry theirs. */
function isAcrossMerchants({ sql }: FoundStatement, tables: readonly string[]): boolean {
  if (/^\s*insert/i.test(sql) || !tables.some((table) => new RegExp(`\\b${table}\\b`).test(sql))) return false;
  const condition = sql.slice(sql.search(/\b(?:where|using|on)\b/i));
  return sql.search(/\b(?:where|using|on)\b/i) < 0 || !condition.includes('merchant_id');
}

function countsOf(service: string): Record<string, number> {
  const schema = readFileSync(join(root, `docs/reference/schema/${service}.sql`), 'utf8');
  const tables = [...schema.matchAll(/create table (\w+) \(([\s\S]*?)\n\)/g)].filter(([, , columns]) => columns!.includes('merchant_id'));
  const files = globSync(`apps/${service}/src/**/*.ts`, { cwd: root }).filter((file) => !/\.spec\.ts$|migrat/.test(file));
  const { statements } = findStatements(root, files, given);
  const counts: Record<string, number> = {};
  const places = new Set(statements.filter((one) => isAcrossMerchants(one, tables.map(([, name]) => name!))).map(({ place }) => place));
  for (const place of places) {
    const file = basename(place).replace(/:\d+$/, '');
    counts[file] = (counts[file] ?? 0) + 1;
  }
  return counts;
}

describe('statements on what merchants own', () => {
  it('restrict by the merchant, but for those that are listed with a reason', () => {
    const counts = Object.assign({}, ...services.map(({ messaging }) => countsOf(messaging.service))) as Record<string, number>;
    expect(counts).toEqual(Object.fromEntries(Object.entries(acrossMerchants).map(([file, { statements }]) => [file, statements])));
  });

  it.each([
    ['select token from tokens where token_id = $1', true],
    ['select token from tokens where merchant_id = $1 and token_id = $2', false],
    ['select merchant_id, token from tokens', true],
    ['update tokens set revoked_at = $1 from doomed where tokens.token_id = doomed.token_id', true],
    ['select count(*) from others', false],
    ['insert into tokens (merchant_id, token_id) values ($1, $2)', false],
  ])('finds %s: %s', (sql, expected) => {
    expect(isAcrossMerchants({ place: 'here', sql }, ['tokens'])).toBe(expected);
  });
});

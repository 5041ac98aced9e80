import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/growth.md'), 'utf8');
const ofEvery = 'Tables of every service';

/** The tables that each section of the page lists. */
function readPage(text: string): ReadonlyMap<string, readonly string[]> {
  const sections = text.split(/^## /m).slice(1);
  return new Map(
    sections.map((section) => {
      const tables = [...section.matchAll(/^\| `(\w+)` \|/gm)].map(([, table]) => table!);
      return [section.split('\n')[0]!, tables];
    }),
  );
}

/** What a page says of a service that its schema does not, and the reverse. */
function findDifferences(text: string, service: string, schema: string): readonly string[] {
  const sections = readPage(text);
  const listed = [...(sections.get(ofEvery) ?? []), ...(sections.get(service) ?? [])];
  const tables = [...schema.matchAll(/^create table (\w+) \(/gm)].map(([, table]) => table!);
  return [
    ...tables.filter((table) => !listed.includes(table)).map((table) => `${table} is not on the page`),
    ...listed.filter((table) => !tables.includes(table)).map((table) => `${table} is not in the schema`),
  ];
}

describe('docs/growth.md', () => {
  const schemas = globSync('docs/reference/schema/*.sql', { cwd: root });

  it('is compared with the schemas of all services', () => {
    expect(schemas).toHaveLength(5);
  });

  it.each(schemas)('lists the tables of %s', (path) => {
    expect(findDifferences(page, basename(path, '.sql'), readFileSync(join(root, path), 'utf8'))).toEqual([]);
  });

  it('would be refused for a table that it leaves out, and for one that is gone', () => {
    const schema = 'create table kept (\n);\ncreate table made (\n);\n';
    const text = '## shop\n\n| `kept` | a | b | c |\n| `gone` | a | b | c |\n';
    expect(findDifferences(text, 'shop', schema)).toEqual(['made is not on the page', 'gone is not in the schema']);
  });
});

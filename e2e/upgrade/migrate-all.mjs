// `node --import <release>/tools/run-ts.mjs migrate-all.mjs <release> <service> <url>…`: runs the migrations of one
// service of a release that are not recorded in the database yet. A small stand-in for TypeORM, so that the same program
// serves every release whatever its runner does.
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const [release, service, url] = process.argv.slice(2);
const { default: pg } = await import(pathToFileURL(createRequire(join(release, 'package.json')).resolve('pg')).href);
const { services } = await import(pathToFileURL(join(release, 'apps/standalone/src/services.ts')).href);
const { migrations } = services.find(({ messaging }) => messaging.service === service);

const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query('create table if not exists upgrade_suite_migrations (name text primary key)');
for (const migrationClass of migrations) {
  const migration = new migrationClass();
  const { rowCount } = await client.query('select from upgrade_suite_migrations where name = $1', [migration.name]);
  if (rowCount > 0) continue;
  const query = async (text, values) => (await client.query(text, values)).rows;
  if (migration.transaction !== false) await client.query('begin');
  await migration.up({ query });
  await client.query('insert into upgrade_suite_migrations values ($1)', [migration.name]);
  if (migration.transaction !== false) await client.query('commit');
}
await client.end();

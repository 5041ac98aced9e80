import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@latchkey/embedded-postgres';
import { dumpSchema } from '@latchkey/kits';
import { createLogger, openDatabase, type ServiceDefinition } from '@latchkey/service-defaults';

/** The schema of each service's database as its migrations make it, as SQL files. A server of its own is started for it. */
export async function schemaDumps(services: readonly ServiceDefinition[]): Promise<readonly (readonly [path: string, text: string])[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'latchkey-schema-'));
  try {
    const names = services.map(({ messaging }) => messaging.service);
    const server = await startEmbeddedPostgres({ dataDir, databases: names });
    try {
      return await Promise.all(services.map((service) => dumpOf(service, server.url(service.messaging.service))));
    } finally {
      await server.stop();
    }
  } finally {
    rmSync(dataDir, { recursive: true, force: true });
  }
}

async function dumpOf({ messaging, migrations }: ServiceDefinition, url: string): Promise<readonly [string, string]> {
  const { service } = messaging;
  const logger = createLogger(service, 'warn');
  const database = await openDatabase({ url, service, migrations, poolSizeMax: 1, logger }, 0);
  await database.destroy();
  const head = `-- Made by \`npm run generate\` from the migrations of ${service}; a check fails when it drifts. Do not edit.\n\n`;
  return [`docs/reference/schema/${service}.sql`, `${head}${await dumpSchema(url)}\n`];
}

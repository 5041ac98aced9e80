import 'reflect-metadata';
import { ConfigurationError, createLogger, databaseUrl, openDatabase, readConfiguration } from '@latchkey/service-defaults';
import { kek } from '../config.js';
import { tokenIssuerService } from '../token-issuer.service-definition.js';
import { rewrapAll } from './rewrap-all.js';

const DATABASE_WAIT_MS = 10_000;

/** Answers in JSON on standard output. Ends with 1 where a key could not be read: its KEK must not be removed. */
async function main(): Promise<number> {
  const { databaseUrl: url, keyRing } = readConfiguration({ databaseUrl, keyRing: kek }, process.env);
  const { migrations, entities, messaging } = tokenIssuerService;
  const logger = createLogger(messaging.service, 'silent');
  const dataSource = await openDatabase({ url, service: messaging.service, migrations, entities, poolSizeMax: 2, logger }, DATABASE_WAIT_MS);
  try {
    const report = await rewrapAll(dataSource, keyRing);
    process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
    return report.unreadable === 0 ? 0 : 1;
  } finally {
    await dataSource.destroy();
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : 'failed'}\n`);
  process.exitCode = error instanceof ConfigurationError ? 78 : 1;
}

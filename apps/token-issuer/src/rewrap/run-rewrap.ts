import { ConfigurationError, createLogger, databaseUrl, openDatabase, readConfiguration, tokenSettings } from '@latchkey/service-defaults';
import { tokenIssuerService } from '../token-issuer.service-definition.js';
import { rewrapAll, type RewrapReport } from './rewrap-all.js';

/** Where the command writes: its answer in JSON, and what went wrong in words. */
export interface RewrapConsole {
  out(text: string): void;
  err(text: string): void;
}

const DATABASE_WAIT_MS = 10_000;
const EX_CONFIG = 78;

/**
 * `content-keys rewrap`: wraps everything under the primary KEK of the environment's `LATCHKEY_KEK`, in the database of
 * `DATABASE_URL`. Resolves to the exit code: 1 where a key could not be read, because its KEK must not be removed.
 */
export async function runRewrap(environment: Readonly<Record<string, string | undefined>>, console: RewrapConsole): Promise<number> {
  try {
    const report = await rewrap(environment);
    console.out(`${JSON.stringify(report, undefined, 2)}\n`);
    return report.unreadable === 0 ? 0 : 1;
  } catch (error) {
    console.err(`${error instanceof Error ? error.message : 'failed'}\n`);
    return error instanceof ConfigurationError ? EX_CONFIG : 1;
  }
}

async function rewrap(environment: Readonly<Record<string, string | undefined>>): Promise<RewrapReport> {
  const { databaseUrl: url, keyRing } = readConfiguration({ databaseUrl, keyRing: tokenSettings.keyRing }, environment);
  const { migrations, messaging } = tokenIssuerService;
  const logger = createLogger(messaging.service, 'silent');
  const dataSource = await openDatabase({ url, service: messaging.service, migrations, poolSizeMax: 2, logger }, DATABASE_WAIT_MS);
  try {
    return await rewrapAll(dataSource, keyRing);
  } finally {
    await dataSource.destroy();
  }
}

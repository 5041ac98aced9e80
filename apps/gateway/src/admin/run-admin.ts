import { Outbox } from '@latchkey/outbox';
import { type Logger, openDatabase } from '@latchkey/service-defaults';
import { ApiKeyStore } from '../api-keys/api-key-store.js';
import { gatewayService } from '../gateway.service-definition.js';
import { adminUsage, readAdminCommand } from './admin-command.js';
import { performAdminCommand } from './perform-admin-command.js';

/** Where a command reads its database's address from, and where it writes. */
export interface AdminConsole {
  /** The gateway's database, or undefined where nobody knows; asked for only when the arguments are right. */
  databaseUrl(): Promise<string | undefined>;
  out(text: string): void;
  err(text: string): void;
}

const EXIT_FAILED = 1;
const EXIT_USAGE = 2;
const DATABASE_WAIT_MS = 5_000;

/**
 * Runs `npm run admin -- <args>` and resolves to its exit code: 0, 1 where the command failed, 2 where its arguments
 * were wrong. The answer is JSON on `out`, an error JSON on `err`. Brings the database's schema up to date first, so that
 * merchants can be made before the gateway's first start.
 */
export async function runAdmin(args: readonly string[], console: AdminConsole): Promise<number> {
  const fail = (code: number, error: string, message: string): number => {
    console.err(`${JSON.stringify({ error, message })}\n`);
    return code;
  };
  const command = readAdminCommand(args);
  if (command.kind === 'usage-error') {
    const code = fail(EXIT_USAGE, 'usage', command.message);
    console.err(adminUsage);
    return code;
  }
  const url = await console.databaseUrl();
  if (url === undefined) return fail(EXIT_FAILED, 'database-unknown', 'DATABASE_URL does not say where the database of the gateway is');
  try {
    const answer = await withStore(url, (store) => performAdminCommand(store, command));
    if ('error' in answer) return fail(EXIT_FAILED, String(answer['error']), String(answer['message']));
    console.out(`${JSON.stringify(answer, null, 2)}\n`);
    return 0;
  } catch (error) {
    // Not its message: a driver's can quote the address, and with it the password.
    const { code } = error as { code?: unknown };
    return fail(EXIT_FAILED, 'failed', `the database did not do it: ${typeof code === 'string' ? code : error instanceof Error ? error.name : 'unknown'}`);
  }
}

async function withStore<T>(url: string, work: (store: ApiKeyStore) => Promise<T>): Promise<T> {
  const { migrations } = gatewayService;
  const dataSource = await openDatabase({ url, service: 'gateway-admin', migrations, poolSizeMax: 3, logger: silent }, DATABASE_WAIT_MS);
  try {
    return await work(new ApiKeyStore(dataSource, new Outbox(dataSource, gatewayService.messaging.says)));
  } finally {
    await dataSource.destroy();
  }
}

/** Standard output is the answer's alone. */
const silent: Logger = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

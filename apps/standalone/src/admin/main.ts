import 'reflect-metadata';
import { runAdmin } from '@latchkey/gateway';
import { runRewrap } from '@latchkey/token-issuer';
import { connectionNote } from '../connection-note.js';
import { readOrCreateSecrets } from '../secrets.js';

/**
 * `npm run admin -- …`: on the database that DATABASE_URL names, or of the standalone that runs on the data directory.
 * `content-keys rewrap` is the token issuer's; everything else is the gateway's.
 */
const output = { out: (text: string) => process.stdout.write(text), err: (text: string) => process.stderr.write(text) };
const given = process.env['DATABASE_URL'];

async function main(args: readonly string[]): Promise<number> {
  if (args.join(' ') !== 'content-keys rewrap') {
    return runAdmin(args, { ...output, databaseUrl: async () => given ?? connectionNote(process.env).gatewayDatabaseUrl });
  }
  if (given !== undefined) return runRewrap(process.env, output);
  const { tokenIssuerDatabaseUrl, dataDir } = connectionNote(process.env);
  const LATCHKEY_KEK = process.env['LATCHKEY_KEK'] ?? (await readOrCreateSecrets(dataDir)).kek;
  return runRewrap({ LATCHKEY_KEK, DATABASE_URL: tokenIssuerDatabaseUrl }, output);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  output.err(`${(error as Error).message}\n`);
  process.exitCode = 1;
}

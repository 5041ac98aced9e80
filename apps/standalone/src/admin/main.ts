import 'reflect-metadata';
import { runAdmin } from '@latchkey/gateway';
import { connectionNote } from '../connection-note.js';

/** `npm run admin -- …`: on the database that DATABASE_URL names, or of the standalone that runs on the data directory. */
process.exitCode = await runAdmin(process.argv.slice(2), {
  databaseUrl: async () => process.env['DATABASE_URL'] ?? connectionNote(process.env).gatewayDatabaseUrl,
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});

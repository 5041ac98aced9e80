import 'reflect-metadata';
import { runAdmin } from './run-admin.js';

process.exitCode = await runAdmin(process.argv.slice(2), {
  databaseUrl: async () => process.env['DATABASE_URL'],
  out: (text) => process.stdout.write(text),
  err: (text) => process.stderr.write(text),
});

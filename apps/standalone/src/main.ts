import 'reflect-metadata';
import { DataDirectoryInUse } from '@latchkey/embedded-postgres';
import { ConfigurationError, stopOnSignal } from '@latchkey/service-defaults';
import { type RunningStandalone, startStandalone } from './standalone.js';
import { welcome } from './welcome.js';

/** Exit codes of sysexits.h: a wrong configuration, and a resource that another process holds. */
const EX_CONFIG = 78;
const EX_TEMPFAIL = 75;

function explain(error: unknown): string {
  const { code, message, stack } = error as NodeJS.ErrnoException;
  if (code === 'EADDRINUSE') return `${message}. Is it running already? LATCHKEY_PORT chooses another port.`;
  return error instanceof ConfigurationError || error instanceof DataDirectoryInUse ? message : (stack ?? message);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigurationError) return EX_CONFIG;
  return error instanceof DataDirectoryInUse ? EX_TEMPFAIL : 1;
}

let running: Promise<RunningStandalone> | undefined;
// Before anything starts: who is told to stop while starting stops as cleanly, once it has started.
stopOnSignal(
  (message) => process.stderr.write(`${message}\n`),
  async () => {
    process.stdout.write('\nStopping …\n');
    await (await running)?.stop();
  },
);
try {
  const startedMs = performance.now();
  running = startStandalone(process.env);
  process.stdout.write(welcome(await running, performance.now() - startedMs));
} catch (error) {
  process.stderr.write(`Latchkey did not start: ${explain(error)}\n`);
  process.exit(exitCodeOf(error));
}

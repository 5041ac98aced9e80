import 'reflect-metadata';
import { outliveOutput, stopOnSignal } from '@latchkey/service-defaults';
import { type RunningStandalone, startStandalone } from './standalone.js';
import { exitCodeOfStart, explainStart } from './start-failure.js';
import { untilReady } from './until-ready.js';
import { welcome } from './welcome.js';

outliveOutput();
let running: Promise<RunningStandalone> | undefined;
const stopped = new AbortController();
// Before anything starts: who is told to stop while starting stops as cleanly, once it has started.
stopOnSignal(
  (message) => process.stderr.write(`${message}\n`),
  async () => {
    stopped.abort();
    process.stdout.write('\nStopping …\n');
    await (await running)?.stop();
  },
);
try {
  const startedMs = performance.now();
  running = startStandalone(process.env);
  const standalone = await running;
  const say = (line: string): void => void process.stdout.write(`${line}\n`);
  if (await untilReady(standalone.readiness, say, stopped.signal)) {
    process.stdout.write(welcome(standalone, performance.now() - startedMs));
  }
} catch (error) {
  process.stderr.write(`Latchkey did not start: ${explainStart(error)}\n`);
  process.exit(exitCodeOfStart(error));
}

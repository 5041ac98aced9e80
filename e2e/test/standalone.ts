import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startProcess, type StartedProcess } from '@latchkey/kits';
import { Merchant } from './merchant.js';

/** A standalone in a process of its own, on a data directory of its own. */
export interface Standalone {
  readonly dataDir: string;
  readonly origin: string;
  process: StartedProcess;
  merchant(): Promise<Merchant>;
  /** Starts it again on the same data directory and port; from another workspace where one is named. */
  restart(root?: string): Promise<void>;
  log(): Promise<string>;
  remove(): Promise<void>;
}

/** Starts a standalone on an empty data directory; from another workspace where one is named. */
export async function startStandalone(environment: Record<string, string> = {}, firstRoot?: string): Promise<Standalone> {
  const dataDir = await mkdtemp(join(tmpdir(), 'latchkey-e2e-'));
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const start = (root?: string): Promise<StartedProcess> =>
    startProcess({
      root,
      entry: 'apps/standalone/src/main.ts',
      env: { LATCHKEY_DATA_DIR: dataDir, LATCHKEY_PORT: String(port), LATCHKEY_LOG_LEVEL: 'debug', ...environment },
      readyUrl: `${origin}/health/ready`,
      readyTimeoutMs: 60_000,
    });
  const standalone: Standalone = {
    dataDir,
    origin,
    process: await start(firstRoot),
    merchant: async () => new Merchant(origin, (await readFile(join(dataDir, 'secrets', 'api-key'), 'utf8')).trim()),
    restart: async (root) => {
      standalone.process = await start(root);
    },
    log: () => readFile(join(dataDir, 'latchkey.log'), 'utf8'),
    remove: async () => {
      await standalone.process.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
  return standalone;
}

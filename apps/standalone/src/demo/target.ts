import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { connectionNote } from '../connection-note.js';

/** A running Latchkey that the demo plays against. */
export interface DemoTarget {
  readonly gatewayUrl: string;
  readonly apiKey: string;
  /** The checkout's broker URL; with it the purchase is published to RabbitMQ, without it sent over HTTP. */
  readonly checkoutAmqpUrl: string | undefined;
}

/**
 * Finds what to play against: the containers with `--compose`, else what the environment names, else the standalone that
 * runs on the data directory. Throws an Error whose message says what to do.
 */
export function findTarget(args: readonly string[], environment: Readonly<Record<string, string | undefined>>): DemoTarget {
  if (args.includes('--compose')) {
    const shown = execFileSync('docker', ['compose', 'run', '--rm', '-T', 'secrets', 'show'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return JSON.parse(shown) as DemoTarget;
  }
  const dataDir = environment['LATCHKEY_DATA_DIR'] || '.latchkey';
  const gatewayUrl = environment['LATCHKEY_PUBLIC_URL'] || connectionNote(environment).origin;
  const apiKey = environment['LATCHKEY_BOOTSTRAP_API_KEY'] || readFileSync(join(dataDir, 'secrets', 'api-key'), 'utf8').trim();
  return { gatewayUrl, apiKey, checkoutAmqpUrl: environment['AMQP_URL'] || undefined };
}

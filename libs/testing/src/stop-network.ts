import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedNetwork } from 'testcontainers';

const PAUSE_MS = 250;
const ATTEMPTS = 80;

/**
 * Removes a network whose containers were removed. Docker answers a container's removal before its network has let it
 * go, and refuses (403, active endpoints) to remove the network until then: for a moment, or for seconds on a busy machine.
 */
export async function stopNetwork(network: Pick<StartedNetwork, 'stop'>, pauseMs = PAUSE_MS): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await network.stop();
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !hasActiveEndpoints(error)) throw error;
      await sleep(pauseMs);
    }
  }
}

function hasActiveEndpoints(error: unknown): boolean {
  return error instanceof Error && 'statusCode' in error && error.statusCode === 403 && error.message.includes('active endpoints');
}

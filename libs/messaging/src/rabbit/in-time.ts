/** How long the broker may take for anything that it is asked on a connection, in milliseconds. */
export const BROKER_TIMEOUT_MS = 10_000;

/** The broker did not answer in time: its node is down or stuck, and another connection may reach one that is not. */
export class BrokerTimeout extends Error {
  override readonly name = 'BrokerTimeout';
}

/**
 * Waits for the broker, but not for ever: `queue.declare` on a node whose peers are down is never answered, and a service that
 * waited for it would neither start nor stop.
 */
export async function inTime<T>(work: Promise<T>, what: string, timeoutMs = BROKER_TIMEOUT_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new BrokerTimeout(`the broker did not answer within ${timeoutMs} ms: ${what}`)), timeoutMs);
  });
  // What comes after the time limit is of no interest, and must not end the process as an unhandled rejection.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

import { createServer } from 'node:net';

const FIRST_PORT = 20_000;
const PORTS_EACH = 700;
const WORKERS = 16;

let handedOut = 0;

/**
 * A port of 127.0.0.1 that is free, and stays so until somebody listens on it, which for a service is seconds later: it lies
 * below those that systems give to whoever asks for any, and no two workers of one run are handed the same.
 */
export async function freePort(): Promise<number> {
  const first = FIRST_PORT + (Number(process.env['JEST_WORKER_ID'] ?? 0) % WORKERS) * PORTS_EACH;
  for (let tried = 0; tried < PORTS_EACH; tried += 1) {
    const port = first + (handedOut++ % PORTS_EACH);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of the ports from ${first} to ${first + PORTS_EACH - 1} is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const server = createServer().once('error', () => settle(false));
    server.listen(port, '127.0.0.1', () => server.close(() => settle(true)));
  });
}

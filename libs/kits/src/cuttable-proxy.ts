import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A way to a server that can be taken away, and given back. */
export interface CuttableProxy {
  /** The address of the server by this way. */
  readonly url: string;
  /** Cuts every connection and takes no more. */
  cut(): void;
  /** Leaves connections open and lets nothing through any more. */
  stall(): void;
  /** Lets everything through again; what was stalled stays lost. */
  restore(): void;
  /** Leaves connections open and keeps what comes, until `resume` lets it through. */
  pause(): void;
  /** Lets through what was kept, and all that follows. */
  resume(): void;
  close(): Promise<void>;
}

/** Opens a way to the server of `url`. */
export async function openCuttableProxy(url: string): Promise<CuttableProxy> {
  const target = new URL(url);
  const { hostname, port } = target;
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'stalled' = 'open';
  const server = createServer((near) => {
    if (state === 'cut') return near.destroy();
    const far = connect(Number(port), hostname);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      sockets.add(from);
      from.on('data', (chunk) => state === 'open' && to.write(chunk));
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  target.host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const cut = (): void => {
    state = 'cut';
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: target.href,
    cut,
    stall: () => (state = 'stalled'),
    restore: () => (state = 'open'),
    pause: () => {
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      for (const socket of sockets) socket.resume();
    },
    close: async () => {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
}

// The one address in front of the replicas of `docker compose up --scale`: passes each TCP connection on to the next
// replica that takes it. It is here so that the composition can be tried out; in production your load balancer does this.
//
//   node edge.mjs <port>=<service>:<port> …
import { resolve4 } from 'node:dns/promises';
import { connect, createServer } from 'node:net';

/** Connects to a replica, or resolves to undefined where that one does not take the connection. */
function attempt(host, port) {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true, timeout: 1000 });
    const fail = () => resolve(socket.destroy() && undefined);
    socket.once('error', fail).once('timeout', fail);
    socket.once('connect', () => resolve(socket.setTimeout(0).off('error', fail)));
  });
}

let turn = 0;
async function reach(service, port) {
  // Asked anew for each connection: replicas come and go.
  const replicas = (await resolve4(service).catch(() => [])).sort();
  turn += 1;
  for (let tried = 0; tried < replicas.length; tried += 1) {
    const socket = await attempt(replicas[(turn + tried) % replicas.length], port);
    if (socket) return socket;
  }
  return undefined;
}

const servers = process.argv.slice(2).map((route) => {
  const [, port, service, target] = /^(\d+)=([\w-]+):(\d+)$/.exec(route);
  const server = createServer({ noDelay: true, pauseOnConnect: true }, async (client) => {
    const end = () => client.destroy();
    client.on('error', end);
    const replica = await reach(service, Number(target));
    if (!replica || client.destroyed) return replica?.destroy() ?? end();
    replica.on('error', end).on('close', end);
    client.on('close', () => replica.destroy());
    client.pipe(replica).pipe(client);
  });
  return server.listen(Number(port));
});
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => servers.forEach((server) => server.close()) ?? process.exit(0));

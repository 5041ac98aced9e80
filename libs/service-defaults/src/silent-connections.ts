import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches for connections that have not sent a request yet; the function that it returns closes them. Node takes them for
 * busy, so that `server.close()` would wait for each browser that connected ahead until its time is out, and a clean stop
 * would be none.
 */
export function watchSilentConnections(server: Server): () => void {
  const silent = new Set<Socket>();
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', (request) => silent.delete(request.socket));
  return () => {
    for (const socket of silent) socket.destroy();
  };
}

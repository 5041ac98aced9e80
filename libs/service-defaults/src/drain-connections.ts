import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Watches the connections of a server. The function that it returns has them end as soon as nobody is left without an
 * answer; to be called right before `server.close()`, which alone would wait for two kinds of them until their time is
 * out, and a clean stop would be none: those that have not sent a request yet (browsers connect ahead), and those on
 * which an answer was under way, for they are kept alive after it.
 */
export function drainConnections(server: Server): () => void {
  const silent = new Set<Socket>();
  const underWay = new Set<ServerResponse>();
  let draining = false;
  server.on('connection', (socket) => {
    silent.add(socket);
    socket.once('close', () => silent.delete(socket));
  });
  server.on('request', (request, response) => {
    silent.delete(request.socket);
    underWay.add(response);
    response.once('close', () => {
      underWay.delete(response);
      if (draining) request.socket.end();
    });
  });
  return () => {
    draining = true;
    for (const socket of silent) socket.destroy();
    for (const response of underWay) if (!response.headersSent) response.setHeader('connection', 'close');
  };
}

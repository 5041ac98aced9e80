import { type OperationContract, operations } from '@latchkey/contracts';
import { CONFIGURATION, type ServiceDefinition } from '@latchkey/service-defaults';
import type { LicenseServerConfiguration } from '../config.js';
import { DpopNonces } from '../license/dpop-nonces.js';
import { answerCors } from './cors.js';

/** Where devices prove their keys. */
const provenPaths = new Set<string>();
const methodsByPath = new Map<string, string[]>();
for (const operation of operations.operations as readonly OperationContract[]) {
  if (operation.server === 'gateway') continue;
  if (operation.security.kind === 'dpop') provenPaths.add(operation.path);
  methodsByPath.set(operation.path, [...(methodsByPath.get(operation.path) ?? []), operation.method]);
}

/**
 * What every answer to a device has, also one that is refused before its body is read: a fresh nonce, so that a player
 * always holds a good one, no place in caches, and the CORS headers without which a page cannot read the rest.
 */
export const equipDeviceEdge: NonNullable<ServiceDefinition['equip']> = (app) => {
  const nonces = app.get(DpopNonces);
  const { corsOrigins } = app.get<LicenseServerConfiguration>(CONFIGURATION);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', (request, reply, next) => {
      // One route has many spellings (percent-encoded, absolute, with a fragment), and what the router takes for it
      // has to be equipped like it: keys would lie in caches. A wrong method has no route, and so only its own words.
      const path = request.routeOptions.url ?? request.url.split('?', 1)[0] ?? '';
      const methods = methodsByPath.get(path);
      if (!methods) return next();
      if (provenPaths.has(path)) void reply.header('dpop-nonce', nonces.issue(Date.now() / 1000)).header('cache-control', 'no-store');
      // A licence request is read whatever its Content-Type; Fastify would refuse one that it cannot parse.
      if (path === operations.createLicense.path) delete request.headers['content-type'];
      const { method, headers } = request;
      const cors = answerCors(corsOrigins, methods, {
        method,
        origin: headers.origin,
        requestedMethod: headers['access-control-request-method'],
      });
      void reply.headers(cors.headers);
      if (cors.preflight) {
        void reply.status(204).send();
        return;
      }
      next();
    });
};

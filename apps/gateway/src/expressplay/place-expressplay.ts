import { Problem } from '@latchkey/contracts';
import { refuseEncoded } from '@latchkey/service-defaults';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { endpointAt } from './at-endpoint.decorator.js';
import { ExpressPlayGate, isForm } from './expressplay-gate.js';

/**
 * Makes room for the ExpressPlay-shaped surface before its routes are made: forms, which are taken here alone, its gate
 * around the body, and each path once more with the slash with which the reference writes some of them.
 */
export function placeExpressPlay(app: NestFastifyApplication): void {
  const gate = app.get(ExpressPlayGate);
  const fastify = app.getHttpAdapter().getInstance();
  fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (request, body, parsed) => {
    try {
      refuseEncoded(request.headers['content-encoding']);
      parsed(null, new URLSearchParams(body as string));
    } catch (error) {
      parsed(error as Error, undefined);
    }
  });
  fastify.addHook('onRequest', async (request) => {
    const { url } = request.routeOptions;
    const endpoint = endpointAt(request.method, url);
    if (endpoint) await gate.beforeBody(request, endpoint);
    // A form is taken by those who take forms, and nothing else is taken by them.
    if (url !== undefined && hasBody(request.headers) && isForm(request) !== (endpoint?.body === 'form')) throw new Problem('unsupported-media-type');
  });
  fastify.addHook('preValidation', async (request) => {
    const endpoint = endpointAt(request.method, request.routeOptions.url);
    if (endpoint && isForm(request)) await gate.afterForm(request, endpoint);
  });
  fastify.addHook('onRoute', ({ method, url, handler }) => {
    const [first] = [method].flat();
    if (url.endsWith('/') || first === 'HEAD' || !endpointAt(String(first), url)) return;
    fastify.route({ method, url: `${url}/`, handler });
  });
}

function hasBody(headers: { readonly 'content-length'?: string | undefined; readonly 'transfer-encoding'?: string | undefined }): boolean {
  return headers['transfer-encoding'] !== undefined || !/^0*$/.test(headers['content-length'] ?? '');
}

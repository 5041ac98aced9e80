import { type ExpressPlayEndpoint, type ExpressPlayEndpointId, expressPlayEndpoints } from '@latchkey/contracts';
import { applyDecorators, Delete, type ExecutionContext, Get, HttpCode, Post, Put, SetMetadata } from '@nestjs/common';

const EXPRESSPLAY = Symbol('expressplay');
const methods = { GET: Get, POST: Post, PUT: Put, DELETE: Delete };
type Method = keyof typeof methods;

const routeOf = ({ path }: ExpressPlayEndpoint): string => path.replace(/\{([^}]+)\}/g, ':$1');
const byRoute = new Map<string, ExpressPlayEndpoint>(expressPlayEndpoints.flatMap((endpoint) => endpoint.methods.map((method) => [`${method} ${routeOf(endpoint)}`, endpoint] as const)));

/** The endpoint whose route a request matched, with or without a slash at its end. A HEAD is a GET, which it may not do. */
export function endpointAt(method: string, route: string | undefined): ExpressPlayEndpoint | undefined {
  return byRoute.get(`${method === 'HEAD' ? 'GET' : method} ${route?.replace(/\/$/, '')}`);
}

/** Makes a controller method the one that answers an endpoint by a method, for every DRM that has it. */
export function AtEndpoint(id: ExpressPlayEndpointId, method: Method): MethodDecorator {
  const routes = expressPlayEndpoints.filter((endpoint) => endpoint.id === id && endpoint.methods.includes(method)).map(routeOf);
  return applyDecorators(methods[method](routes), HttpCode(200), SetMetadata(EXPRESSPLAY, id));
}

/** Whether a request reached a method that answers such an endpoint. */
export function isExpressPlay(context: ExecutionContext): boolean {
  return Reflect.getMetadata(EXPRESSPLAY, context.getHandler()) !== undefined;
}

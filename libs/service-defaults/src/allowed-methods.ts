import type { FastifyInstance } from 'fastify';

interface Route {
  readonly method: string;
  readonly pattern: RegExp;
}

const routesOf = new WeakMap<FastifyInstance, Route[]>();

/** Notes every route that is made from now on, so that a path that exists can be told from one that does not. */
export function noteRoutes(fastify: FastifyInstance): void {
  const routes: Route[] = [];
  routesOf.set(fastify, routes);
  fastify.addHook('onRoute', ({ method, url }) => {
    // Fastify makes a HEAD of each GET.
    for (const one of [method].flat().filter((name) => name !== 'HEAD')) routes.push({ method: one, pattern: patternOf(url) });
  });
}

/** The methods with which a server takes a path; none for a path that it does not have. */
export function allowedMethods(fastify: FastifyInstance, url: string): readonly string[] {
  const path = url.split('?', 1)[0]!;
  return [...new Set((routesOf.get(fastify) ?? []).filter((route) => route.pattern.test(path)).map((route) => route.method))];
}

/** A route's template as Fastify writes it: `:name` is one part of the path, `*` whatever is left of it. */
function patternOf(template: string): RegExp {
  const parts = template.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*')));
  return new RegExp(`^${parts.join('/')}$`);
}

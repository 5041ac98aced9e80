import type { Socket } from 'node:net';
import { Problem } from '@latchkey/contracts';
import { readCorrelationId, withCorrelation } from '@latchkey/messaging';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { noteRoutes } from './allowed-methods.js';
import { drainConnections } from './drain-connections.js';
import type { EdgeFilter } from './edge.filter.js';
import type { Health, Readiness } from './health.js';
import type { Logger } from './logger.js';
import type { Metrics } from './metrics.js';
import { readJsonBody } from './read-json-body.js';

/** The largest body that is taken over HTTP, in bytes. */
export const BODY_BYTES_MAX = 64 * 1024;

/** How bodies are taken: `json` parses JSON and refuses anything else, `raw` hands over the bytes whatever their type. */
export type BodyMode = 'json' | 'raw';

/** What the HTTP edge of a service is made of. */
export interface HttpEdgeParts {
  readonly service: string;
  readonly bodies: BodyMode;
  readonly filter: EdgeFilter;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health: Health;
}

/** A Fastify adapter with Latchkey's limits, whose every refusal is a problem document. */
export function createHttpAdapter(parts: Pick<HttpEdgeParts, 'filter'>): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit: BODY_BYTES_MAX,
    requestTimeout: 15_000,
    forceCloseConnections: 'idle',
    genReqId: (request: { headers: Record<string, unknown> }) => readCorrelationId(request.headers['x-request-id']) ?? crypto.randomUUID(),
    routerOptions: { maxParamLength: 512 },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => void parts.filter.render(error, request, reply),
    clientErrorHandler: (_error: Error, socket: Socket) => refuseGarbage(socket),
  } as never);
}

/** Adds what every service serves alike: request ids, logs and metrics by route template, health and metrics. */
export function equipHttp(fastify: FastifyInstance, parts: HttpEdgeParts): void {
  noteRoutes(fastify);
  takeBodies(fastify, parts.bodies);
  const drain = drainConnections(fastify.server);
  fastify.addHook('preClose', async () => drain());
  fastify.addHook('onRequest', (request, reply, next) => {
    void reply.header('x-request-id', request.id);
    withCorrelation(request.id, next);
  });
  fastify.addHook('onResponse', (request, reply, next) => {
    const route = request.routeOptions.url ?? 'none';
    const labels = { service: parts.service, method: request.method, route, status: String(reply.statusCode) };
    parts.metrics.httpRequests.observe(labels, reply.elapsedTime / 1000);
    const { method } = request;
    const line = { method, route, status: reply.statusCode, durationMs: Math.round(reply.elapsedTime) };
    withCorrelation(request.id, () => (reply.statusCode >= 500 ? parts.logger.warn('request', line) : parts.logger.debug('request', line)));
    next();
  });
  serveHealth(fastify, () => parts.health.readiness());
  serveMetrics(fastify, parts.metrics);
}

/** `/health/live` says that the process runs; `/health/ready` whether it can do its work, and what is missing. */
export function serveHealth(fastify: FastifyInstance, readiness: () => Promise<Readiness>): void {
  fastify.get('/health/live', () => ({ status: 'live' }));
  fastify.get('/health/ready', async (_request, reply) => {
    const result = await readiness();
    return reply.status(result.status === 'unready' ? 503 : 200).header('cache-control', 'no-store').send(result);
  });
}

function serveMetrics(fastify: FastifyInstance, metrics: Metrics): void {
  fastify.get('/metrics', async (_request, reply) => reply.type(metrics.registry.contentType).send(await metrics.expose()));
}

function takeBodies(fastify: FastifyInstance, mode: BodyMode): void {
  fastify.removeAllContentTypeParsers();
  if (mode === 'raw') {
    fastify.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, parsed) => parsed(null, body));
    return;
  }
  fastify.addContentTypeParser(/^application\/(?:[\w.-]+\+)?json(?:;|$)/i, { parseAs: 'buffer' }, (request, body, parsed) => {
    try {
      refuseEncoded(request.headers['content-encoding']);
      parsed(null, body.length === 0 ? undefined : readJsonBody(body as Buffer));
    } catch (error) {
      parsed(error as Error, undefined);
    }
  });
}

/** Bytes that are compressed would be called malformed JSON, and those that only claim to be would be read as they are. */
export function refuseEncoded(contentEncoding: string | undefined): void {
  if (/^(?:identity)?$/i.test(contentEncoding?.trim() ?? '')) return;
  // RFC 9110 §12.5.3: a refused coding is answered with those that would be taken.
  throw new Problem('unsupported-media-type', { detail: 'the body has a content coding; only identity is taken', headers: { 'accept-encoding': 'identity' } });
}

/** What is not even HTTP gets its answer on the bare socket, for there is no request to render a reply to. */
function refuseGarbage(socket: Socket): void {
  if (!socket.writable) return;
  const body = JSON.stringify(new Problem('invalid-request').toDocument());
  socket.end(`HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`);
}

import { Problem } from '@latchkey/contracts';
import { isDatabaseAway } from '@latchkey/outbox';
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Observable, throwError } from 'rxjs';
import { allowedMethods } from './allowed-methods.js';
import type { Logger } from './logger.js';

/** Another form in which a service tells errors on some of its paths, which somebody else laid down. */
export interface ErrorForm {
  /** Whether errors of this URL are told so. */
  readonly covers: (url: string) => boolean;
  readonly render: (problem: Problem, request: FastifyRequest) => { readonly status: number; readonly type: string; readonly body: string };
}

/**
 * The one place where errors leave a service. Over HTTP they become problem documents (RFC 9457), an unknown one a bare
 * 500 with the request id. Out of message handlers they go on as they are, for the transport to judge: Nest's own filter
 * would replace them by a plain object, and nobody could tell a refusal from a fault.
 */
@Catch()
export class EdgeFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly forms: readonly ErrorForm[] = [],
  ) {}

  /** Renders, or passes on. */
  catch(error: unknown, host: ArgumentsHost): Observable<never> | Promise<void> {
    if (host.getType() !== 'http') return throwError(() => error);
    const http = host.switchToHttp();
    return this.render(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Answers with the problem document, or with what the path has in its place. */
  async render(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const problem = problemOf(error, request);
    if (problem.code === 'internal') {
      this.logger.error('a request failed', { method: request.method, route: request.routeOptions?.url ?? 'none' }, problem.cause ?? error);
    }
    if (reply.sent) return;
    if (problem.retryAfterSeconds !== undefined) void reply.header('retry-after', String(problem.retryAfterSeconds));
    for (const [name, value] of Object.entries(problem.headers)) void reply.header(name, value);
    // By the route where there is one: a URL may spell it with escapes, or with a host before it.
    const path = request.routeOptions?.url ?? request.url;
    const { status, type, body } = (this.forms.find(({ covers }) => covers(path)) ?? problemDocument).render(problem, request);
    await reply.status(status).header('cache-control', 'no-store').type(type).send(body);
  }
}

const problemDocument: Pick<ErrorForm, 'render'> = {
  render: (problem, request) => ({
    status: problem.status,
    type: 'application/problem+json',
    body: JSON.stringify(problem.toDocument(problem.status >= 500 ? request.id : undefined)),
  }),
};

/** The problem that an error is: itself, one that Fastify or Nest found with the request, or `internal`. */
function problemOf(error: unknown, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error;
  const status = error instanceof HttpException ? error.getStatus() : (error as { statusCode?: unknown } | null)?.statusCode;
  if (status === 404) {
    const methods = allowedMethods(request.server, request.url);
    if (methods.length === 0) return new Problem('not-found');
    return new Problem('method-not-allowed', { headers: { allow: methods.join(', ') } });
  }
  if (status === 413) return new Problem('payload-too-large');
  if (status === 415) return new Problem('unsupported-media-type');
  if (typeof status === 'number' && status >= 400 && status < 500) return new Problem('invalid-request');
  if (isDatabaseAway(error)) return new Problem('unavailable', { retryAfterSeconds: 1, cause: error });
  return new Problem('internal', { cause: error });
}

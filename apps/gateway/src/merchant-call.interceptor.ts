import { errorCodes, type OperationContract, Problem } from '@latchkey/contracts';
import { operationOf } from '@latchkey/service-defaults';
import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { catchError, type Observable, throwError } from 'rxjs';
import { callerOf } from './api-keys/caller.js';
import { isExpressPlay } from './expressplay/at-endpoint.decorator.js';
import { FailedLookups } from './failed-lookups/failed-lookups.js';

/** What all calls of merchants have in common on their way out. */
@Injectable()
export class MerchantCallInterceptor implements NestInterceptor {
  constructor(private readonly failedLookups: FailedLookups) {}

  /** Answers hold tokens and cookies, so nobody on the way may keep them. Refusals are given their operation's status. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle();
    const operation = operationOf(context);
    if (operation?.security.kind !== 'api-key' && !isExpressPlay(context)) return next.handle();
    const http = context.switchToHttp();
    void http.getResponse<FastifyReply>().header('cache-control', 'no-store');
    return next.handle().pipe(catchError((error: unknown) => throwError(() => this.refusal(operation, http.getRequest<FastifyRequest>(), error))));
  }

  private refusal(operation: OperationContract | undefined, request: FastifyRequest, error: unknown): unknown {
    if (!(error instanceof Problem)) return error;
    const refusal = operation ? withStatusOf(operation, error) : error;
    if (refusal.code !== 'cookie-unknown' || operation?.refusals.includes('rate-limited') === false) return refusal;
    try {
      this.failedLookups.countCookie(callerOf(request).merchantId);
      return refusal;
    } catch (limited) {
      return limited;
    }
  }
}

/** The refusal with the status that the operation names for its code, whatever the asked service thought it should be. */
export function withStatusOf(operation: OperationContract, problem: Problem): Problem {
  const named = operation.refusals.find((refusal) => (typeof refusal === 'string' ? refusal : refusal.code) === problem.code);
  if (named === undefined) return problem;
  const status = typeof named === 'string' ? errorCodes[named].status : named.status;
  return status === problem.status ? problem : new Problem(problem.code, { ...problem, status, cause: problem.cause });
}

import { operationOf } from '@latchkey/service-defaults';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isExpressPlay } from '../expressplay/at-endpoint.decorator.js';
import { callerOf } from './caller.js';

/**
 * Lets no call reach a controller that the gate has not judged: a route that no operation describes, or whose operation
 * the public surface does not list, is open to nobody rather than to everybody.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  /** Whether the call may go on; throws otherwise. */
  canActivate(context: ExecutionContext): boolean {
    if (context.getType() !== 'http') return true;
    const security = operationOf(context)?.security;
    if (security?.kind === 'none') return true;
    if (security?.kind !== 'api-key' && !isExpressPlay(context)) throw new Error('the gateway has a route that no operation of its own describes');
    callerOf(context.switchToHttp().getRequest<FastifyRequest>());
    return true;
  }
}

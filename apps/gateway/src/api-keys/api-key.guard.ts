import { Problem } from '@latchkey/contracts';
import { parseApiKey } from '@latchkey/crypto';
import { operationOf } from '@latchkey/service-defaults';
import { type CanActivate, createParamDecorator, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { FailedLookups } from '../failed-lookups/failed-lookups.js';
import { ApiKeyStore } from './api-key-store.js';
import { authenticate, type Caller, isAllowed, readBearer } from './authenticate.js';

const callers = new WeakMap<FastifyRequest, Caller>();

/** Who makes this call. Throws where nobody had to say: a controller that needs a caller then fails closed. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (!caller) throw new Error('this operation is open to callers who do not say who they are');
  return caller;
}

/** The authenticated caller of a controller method: `@CalledBy() caller: Caller`. */
export const CalledBy = createParamDecorator((_: unknown, context: ExecutionContext) => callerOf(context.switchToHttp().getRequest<FastifyRequest>()));

/**
 * Lets a call pass by what its operation says of security, and nothing that is no operation.
 *
 * Only failures are limited: a good key is looked up and let in whatever else comes from its address, so that nobody
 * behind the same NAT can lock a merchant out. Keys hold 256 random bits, so the limit need not slow guessing; it makes
 * a broken client stop.
 */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(
    private readonly store: ApiKeyStore,
    private readonly failedLookups: FailedLookups,
  ) {}

  /** Whether the call may go on; throws the problem otherwise. */
  async canActivate(context: ExecutionContext): Promise<boolean> {
    if (context.getType() !== 'http') return true;
    const security = operationOf(context)?.security;
    if (security?.kind === 'none') return true;
    if (security?.kind !== 'api-key') throw new Error('the gateway has a route that no operation of its own describes');
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const caller = await this.authenticated(request);
    if (!isAllowed(caller, security.scope)) throw new Problem('forbidden', { detail: `the API key lacks the scope ${security.scope}` });
    callers.set(request, caller);
    return true;
  }

  private async authenticated(request: FastifyRequest): Promise<Caller> {
    const presented = readBearer(request.headers.authorization);
    if (presented === undefined) throw unauthenticated();
    const keyId = parseApiKey(presented)?.keyId;
    const caller = keyId === undefined ? undefined : authenticate(presented, await this.store.find(keyId));
    if (caller) return caller;
    this.failedLookups.count('api-key', request.ip);
    throw unauthenticated();
  }
}

function unauthenticated(): Problem {
  return new Problem('unauthenticated', { headers: { 'www-authenticate': 'Bearer' } });
}

import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import type { Caller } from './authenticate.js';

const callers = new WeakMap<FastifyRequest, Caller>();

/** Notes who makes this call, once that is proven. */
export function rememberCaller(request: FastifyRequest, caller: Caller): void {
  callers.set(request, caller);
}

/** Who makes this call. Throws where nobody had to say: whoever needs a caller then fails closed. */
export function callerOf(request: FastifyRequest): Caller {
  const caller = callers.get(request);
  if (!caller) throw new Error('this operation is open to callers who do not say who they are');
  return caller;
}

/** The authenticated caller of a controller method: `@CalledBy() caller: Caller`. */
export const CalledBy = createParamDecorator((_: unknown, context: ExecutionContext) => callerOf(context.switchToHttp().getRequest<FastifyRequest>()));

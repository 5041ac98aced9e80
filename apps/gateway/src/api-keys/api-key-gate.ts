import { type OperationContract, Problem } from '@latchkey/contracts';
import { parseApiKey } from '@latchkey/crypto';
import { operationAt, type ServiceDefinition } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { FailedLookups } from '../failed-lookups/failed-lookups.js';
import { ApiKeyStore } from './api-key-store.js';
import { authenticate, type Caller, isAllowed, readBearer } from './authenticate.js';
import { rememberCaller } from './caller.js';

/**
 * Finds out who calls, from the headers alone. Only failures are limited: a good key is looked up and let in whatever
 * else is tried from its address or under its id, so that nobody can lock a merchant out. Keys hold 256 random bits, so
 * the limit need not slow guessing; it makes a broken client stop.
 */
@Injectable()
export class ApiKeyGate {
  constructor(
    private readonly store: ApiKeyStore,
    private readonly failedLookups: FailedLookups,
  ) {}

  /** Notes the caller of an operation that asks for one; throws the problem where there is none, or one that may not. */
  async admit(request: FastifyRequest, { security }: OperationContract): Promise<void> {
    if (security.kind !== 'api-key') return;
    const caller = await this.authenticated(request);
    if (!isAllowed(caller, security.scope)) throw new Problem('forbidden', { detail: `the API key lacks the scope ${security.scope}` });
    rememberCaller(request, caller);
  }

  private async authenticated(request: FastifyRequest): Promise<Caller> {
    const presented = readBearer(request.raw.headersDistinct['authorization']);
    if (presented === undefined) throw unauthenticated();
    const keyId = parseApiKey(presented)?.keyId;
    const caller = keyId === undefined ? undefined : authenticate(presented, await this.store.find(keyId));
    if (caller) return caller;
    this.failedLookups.countApiKey(request.ip, keyId);
    throw unauthenticated();
  }
}

function unauthenticated(): Problem {
  return new Problem('unauthenticated', { headers: { 'www-authenticate': 'Bearer' } });
}

/**
 * Puts the gate before everything else that is done with a request: whoever has no key is told so, and has no body
 * received, parsed or judged.
 */
export const placeGate: NonNullable<ServiceDefinition['equip']> = (app) => {
  const gate = app.get(ApiKeyGate);
  app
    .getHttpAdapter()
    .getInstance()
    .addHook('onRequest', async (request) => {
      const operation = operationAt(request.method, request.routeOptions.url);
      if (operation) await gate.admit(request, operation);
    });
};

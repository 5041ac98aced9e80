import { type OperationContract, Problem, type Scope } from '@latchkey/contracts';
import { parseApiKey } from '@latchkey/crypto';
import { operationAt, type ServiceDefinition } from '@latchkey/service-defaults';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { FailedLookups } from '../failed-lookups/failed-lookups.js';
import { ApiKeyStore } from './api-key-store.js';
import { authenticate, type Caller, isAllowed, readBearer } from './authenticate.js';
import { rememberCaller } from './caller.js';

/** A key as a caller presents it. `fullKey` is given the `env` of the stored one, which not every spelling of a key says. */
export interface PresentedKey {
  readonly keyId: string | undefined;
  readonly fullKey: (env: string) => string;
}

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
    const bearer = readBearer(request.raw.headersDistinct['authorization']);
    if (bearer === undefined) throw unauthenticated();
    await this.letIn(request, { keyId: parseApiKey(bearer)?.keyId, fullKey: () => bearer }, security.scope);
  }

  /** Notes whose key was presented; throws the problem where it is nobody's, or its owner may not do what needs the scope. */
  async letIn(request: FastifyRequest, presented: PresentedKey, scope: Scope | undefined): Promise<void> {
    const caller = await this.authenticated(request, presented);
    if (!isAllowed(caller, scope)) throw new Problem('forbidden', { detail: `the API key lacks the scope ${scope}` });
    rememberCaller(request, caller);
  }

  private async authenticated(request: FastifyRequest, { keyId, fullKey }: PresentedKey): Promise<Caller> {
    const stored = keyId === undefined ? undefined : await this.store.find(keyId);
    const caller = keyId === undefined ? undefined : authenticate(fullKey(stored?.env ?? 'none'), stored);
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

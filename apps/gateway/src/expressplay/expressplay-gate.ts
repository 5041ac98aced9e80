import { type ExpressPlayEndpoint, Problem } from '@latchkey/contracts';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { ApiKeyGate } from '../api-keys/api-key-gate.js';
import { readBearer } from '../api-keys/authenticate.js';
import { FailedLookups } from '../failed-lookups/failed-lookups.js';
import { ExpressPlayRefusal } from './expressplay-refusal.js';
import { formOf, queryOf } from './given-parameters.js';
import { type PresentedCredentials, presentedCredentials } from './presented-credentials.js';

const FORM = /^application\/x-www-form-urlencoded(?:\s*;|\s*$)/i;
const PARAMETER = 'customerAuthenticator';

/** Whether the body of a request is a form. */
export function isForm(request: FastifyRequest): boolean {
  return FORM.test(request.headers['content-type'] ?? '');
}

/**
 * Finds out who calls this surface, where a call may say it in more places than one. A form is read for it only where
 * nothing before the body says it.
 */
@Injectable()
export class ExpressPlayGate {
  constructor(
    private readonly keys: ApiKeyGate,
    private readonly failedLookups: FailedLookups,
  ) {}

  /** Before the body: judges by headers and query, or leaves it to the form that is to come. */
  async beforeBody(request: FastifyRequest, endpoint: ExpressPlayEndpoint): Promise<void> {
    // A token would be issued, and a device bound, for a call whose answer nobody reads.
    if (request.method === 'HEAD') throw new Problem('method-not-allowed', { headers: { allow: endpoint.methods.join(', ') } });
    const presented = this.presented(request);
    const formToCome = endpoint.body === 'form' && request.method === 'POST' && isForm(request);
    if (presented.kind === 'missing' && formToCome) return;
    await this.judge(request, presented, endpoint);
  }

  /** After a form was read, which may say who calls, or say something else than the query did. */
  async afterForm(request: FastifyRequest, endpoint: ExpressPlayEndpoint): Promise<void> {
    const presented = this.presented(request);
    // What was presented before the form is judged already.
    if (presented.kind === 'key' && formOf(request).get(PARAMETER) === undefined) return;
    await this.judge(request, presented, endpoint);
  }

  private presented(request: FastifyRequest): PresentedCredentials {
    const headers = request.raw.headersDistinct['authorization'];
    const key = readBearer(headers);
    return presentedCredentials({
      bearer: key !== undefined ? { key } : headers === undefined ? 'none' : 'unreadable',
      query: queryOf(request).get(PARAMETER) ?? [],
      form: formOf(request).get(PARAMETER) ?? [],
    });
  }

  private async judge(request: FastifyRequest, presented: PresentedCredentials, { scope }: ExpressPlayEndpoint): Promise<void> {
    if (presented.kind === 'key') return this.keys.letIn(request, presented.presented, scope);
    if (presented.kind !== 'missing') this.failedLookups.countApiKey(request.ip, undefined);
    const detail = { missing: 'is missing', malformed: 'has not the form of one', differ: 'stands there twice and differs' }[presented.kind];
    throw new ExpressPlayRefusal(presented.kind === 'differ' ? -2018 : -2017, { parameter: PARAMETER, detail, headers: { 'www-authenticate': 'Bearer' } });
  }
}

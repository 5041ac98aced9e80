import { type OperationInput, operations, Problem, requests, type RequestOutput } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller } from '@nestjs/common';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';
import { cookieOf } from './cookie-of-request.js';

/** Registration tokens, and content tokens without a purchase; the token issuer makes both. */
@Controller()
export class TokensController {
  constructor(private readonly requests: Requests) {}

  @Operation(operations.createRegistrationToken)
  async createForRegistration(
    @CalledBy() { merchantId }: Caller,
    @Input() { body, query, headers }: OperationInput<typeof operations.createRegistrationToken>,
  ): Promise<RequestOutput<typeof requests.issueRegistrationToken>> {
    const found = cookieOf({ body: body.cookie, query: query.cookie, header: headers['x-latchkey-cookie'] });
    if ('refusal' in found) throw new Problem('invalid-request', { detail: found.refusal });
    return this.requests.ask(requests.issueRegistrationToken, { merchantId, cookie: found.cookie, deviceId: body.deviceId });
  }

  @Operation(operations.createToken)
  async create(
    @CalledBy() { merchantId }: Caller,
    @Input() { body, headers }: OperationInput<typeof operations.createToken>,
  ): Promise<RequestOutput<typeof requests.issueToken>> {
    return this.requests.ask(requests.issueToken, { merchantId, ...body, idempotencyKey: headers['idempotency-key'] });
  }
}

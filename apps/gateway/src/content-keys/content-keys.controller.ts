import { type OperationInput, operations, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Input, Operation } from '@latchkey/service-defaults';
import { Controller, HttpStatus, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CalledBy } from '../api-keys/caller.js';
import type { Caller } from '../api-keys/authenticate.js';

/** Content keys, which the token issuer wraps and keeps. */
@Controller()
export class ContentKeysController {
  constructor(private readonly requests: Requests) {}

  @Operation(operations.storeContentKey)
  async store(
    @CalledBy() { merchantId }: Caller,
    @Input() { params, body }: OperationInput<typeof operations.storeContentKey>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<void> {
    const { created } = await this.requests.ask(requests.putContentKey, { merchantId, kid: params.kid, ...body });
    void reply.status(created ? HttpStatus.CREATED : HttpStatus.NO_CONTENT);
  }
}

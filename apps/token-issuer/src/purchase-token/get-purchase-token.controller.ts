import { type ContentTokenView, type ErrorCode, Problem, requests, statusesOf } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GetPurchaseToken } from './get-purchase-token.js';

@Controller()
export class GetPurchaseTokenController {
  constructor(private readonly purchaseTokens: GetPurchaseToken) {}

  @MessagePattern<string>(requests.getPurchaseToken.name)
  async get(@Payload() payload: unknown): Promise<ContentTokenView> {
    const result = await this.purchaseTokens.get(readRequest(requests.getPurchaseToken, payload));
    if (result.kind === 'refuse') throw problemOfToken(result.code);
    return result.token;
  }
}

/** A purchase that ended without a token is a conflict, whatever its reason is answered with elsewhere. */
function problemOfToken(code: ErrorCode): Problem {
  return new Problem(code, statusesOf(code).includes(409) ? { status: 409 } : {});
}

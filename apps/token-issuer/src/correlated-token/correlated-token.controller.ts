import { type ContentTokenView, Problem, requests, statusesOf } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { GetContentToken } from './get-content-token.js';
import { type CorrelatedTokenResult, IssueCorrelatedToken } from './issue-correlated-token.js';

/** The tokens of those who know what was sold, and no purchase of it. */
@Controller()
export class CorrelatedTokenController {
  constructor(
    private readonly correlatedTokens: IssueCorrelatedToken,
    private readonly contentTokens: GetContentToken,
  ) {}

  @MessagePattern<string>(requests.issueCorrelatedToken.name)
  async issue(@Payload() payload: unknown): Promise<ContentTokenView> {
    return tokenOf(await this.correlatedTokens.issue(readRequest(requests.issueCorrelatedToken, payload)));
  }

  @MessagePattern<string>(requests.getContentToken.name)
  async get(@Payload() payload: unknown): Promise<ContentTokenView> {
    return tokenOf(await this.contentTokens.get(readRequest(requests.getContentToken, payload)));
  }
}

/** An unknown cookie or purchase does not exist at all; the rest are conflicts. */
function tokenOf(result: CorrelatedTokenResult): ContentTokenView {
  if (result.kind === 'token') return result.token;
  const unknown = result.code === 'cookie-unknown' || result.code === 'purchase-unknown';
  throw new Problem(result.code, !unknown && statusesOf(result.code).includes(409) ? { status: 409 } : {});
}

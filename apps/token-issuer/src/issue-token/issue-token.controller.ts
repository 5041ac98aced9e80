import { type ContentTokenView, type ErrorCode, Problem, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { IssueToken } from './issue-token.js';

/** These exist as far as the caller knows; that they are not as the request needs them is a conflict. */
const conflicts: readonly ErrorCode[] = ['device-not-registered', 'device-revoked'];

@Controller()
export class IssueTokenController {
  constructor(private readonly tokens: IssueToken) {}

  @MessagePattern<string>(requests.issueToken.name)
  async issue(@Payload() payload: unknown): Promise<ContentTokenView> {
    const result = await this.tokens.issue(readRequest(requests.issueToken, payload));
    if (result.kind === 'refuse') throw new Problem(result.code, conflicts.includes(result.code) ? { status: 409 } : {});
    return result.token;
  }
}

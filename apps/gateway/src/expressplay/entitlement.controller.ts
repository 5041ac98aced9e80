import { Problem, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Controller, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AtEndpoint } from './at-endpoint.decorator.js';
import { toldRefusal } from './error-form.js';
import { type ExpressPlayCall, ExpressPlayCalls } from './expressplay-calls.js';
import { FailedLookups } from '../failed-lookups/failed-lookups.js';

const REGISTRATION = '2';

/** What the sample entitlement server answers. */
interface Entitlement {
  readonly messageID: string;
  readonly version: 1;
  readonly isAllowed: boolean;
  readonly epTokenURL: string;
  readonly error?: number;
  readonly errorText?: string;
}

/** The sample entitlement server: tokens for a cookie, and for what was bought with it, which merchants' own servers hand to players. */
@Controller()
export class EntitlementController {
  constructor(
    private readonly calls: ExpressPlayCalls,
    private readonly requests: Requests,
    private readonly failedLookups: FailedLookups,
  ) {}

  @AtEndpoint('entitlement', 'POST')
  async entitle(@Req() request: FastifyRequest): Promise<Entitlement> {
    const call = this.calls.read(request);
    const head = { messageID: call.values.get('messageID')!, version: 1 } as const;
    try {
      return { ...head, isAllowed: true, epTokenURL: this.calls.tokenUrl(this.calls.binding[0] ?? 'pr', await this.token(call)) };
    } catch (error) {
      // What nobody could judge is no refusal, and is told by its status.
      if (!(error instanceof Problem) || error.status >= 429) throw error;
      if (error.code === 'cookie-unknown') this.failedLookups.countCookie(call.merchantId);
      const { errorCode, errorMessage } = toldRefusal(error, request.id).told;
      return { ...head, isAllowed: false, epTokenURL: '', error: errorCode, errorText: errorMessage };
    }
  }

  private async token({ merchantId, values }: ExpressPlayCall): Promise<string> {
    const cookie = values.get('customerCookie')!;
    if (values.get('requestType') !== REGISTRATION) return (await this.requests.ask(requests.getContentToken, { merchantId, cookie, contentId: values.get('contentID')! })).token;
    await this.requests.ask(requests.adoptCookie, { merchantId, cookie });
    return (await this.requests.ask(requests.issueRegistrationToken, { merchantId, cookie })).token;
  }
}

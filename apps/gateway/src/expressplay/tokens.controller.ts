import { requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AtEndpoint } from './at-endpoint.decorator.js';
import { contentKeyOf } from './content-key-of-request.js';
import { drmOf, type ExpressPlayCall, ExpressPlayCalls } from './expressplay-calls.js';
import { ExpressPlayRefusal } from './expressplay-refusal.js';
import { saleOf } from './sale-of-request.js';

/** Token generation: the dummy token, which registers a device, and tokens for content. */
@Controller()
export class ExpressPlayTokensController {
  constructor(
    private readonly calls: ExpressPlayCalls,
    private readonly requests: Requests,
  ) {}

  @AtEndpoint('token', 'GET')
  async generate(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<object | string> {
    const call = this.calls.read(request);
    const drm = drmOf(call.endpoint);
    const token = call.values.has('deviceId') ? await this.contentToken(call) : await this.registrationToken(call);
    if (drm === 'pr') return { licenseAcquisitionUrl: this.calls.rightsUrl(drm), token };
    void reply.header('content-type', 'text/uri-list');
    return this.calls.tokenUrl(drm, token);
  }

  @AtEndpoint('token', 'POST')
  generateByForm(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<object | string> {
    return this.generate(request, reply);
  }

  private async registrationToken({ merchantId, values }: ExpressPlayCall): Promise<string> {
    const cookie = values.get('cookie')!;
    await this.requests.ask(requests.adoptCookie, { merchantId, cookie });
    return (await this.requests.ask(requests.issueRegistrationToken, { merchantId, cookie })).token;
  }

  private async contentToken({ merchantId, endpoint, values, nowMs }: ExpressPlayCall): Promise<string> {
    const sale = saleOf(drmOf(endpoint), values, nowMs);
    const found = await contentKeyOf(values, async () => {
      const { keys } = await this.requests.ask(requests.getStoredKeys, { merchantId, kids: [sale.kid] });
      return keys[0]?.ek;
    });
    if ('code' in found) throw new ExpressPlayRefusal(found.code);
    const issued = await this.requests.ask(requests.issueCorrelatedToken, {
      merchantId,
      cookie: values.get('cookie')!,
      deviceId: values.get('deviceId')!,
      ...sale,
      key: found.key,
    });
    return issued.token;
  }
}

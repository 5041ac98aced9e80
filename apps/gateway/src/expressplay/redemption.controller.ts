import { type Drm, type ExpressPlayDrm, expressPlayCodeOf, type LicenseVerdict, requests } from '@latchkey/contracts';
import { Requests } from '@latchkey/messaging';
import { Controller, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { AtEndpoint } from './at-endpoint.decorator.js';
import { drmOf, ExpressPlayCalls } from './expressplay-calls.js';
import { ExpressPlayRefusal } from './expressplay-refusal.js';
import { kidsOf } from './kid-of.js';

const drms: Readonly<Record<ExpressPlayDrm, Drm>> = { wv: 'widevine', pr: 'playready', fp: 'fairplay' };

/** Redemption: what the merchant's licence server asks before it answers a device. Our licence server decides. */
@Controller()
export class RedemptionController {
  constructor(
    private readonly calls: ExpressPlayCalls,
    private readonly requests: Requests,
  ) {}

  @AtEndpoint('rights', 'GET')
  async redeem(@Req() request: FastifyRequest): Promise<Omit<Extract<LicenseVerdict, { allow: true }>, 'allow'>> {
    const { merchantId, endpoint, values } = this.calls.read(request);
    const kid = values.get('kid');
    const verdict = await this.requests.ask(requests.verifyLicense, {
      merchantId,
      token: values.get('ExpressPlayToken')!,
      deviceId: values.get('deviceId')!,
      drm: drms[drmOf(endpoint)],
      ...(kid === undefined ? {} : { kids: kidsOf(kid) }),
      confidence: values.get('confidence') as 'hardware' | 'software' | 'unknown' | undefined,
    });
    if (!verdict.allow) throw new ExpressPlayRefusal(expressPlayCodeOf[verdict.code]);
    const { allow: _, ...granted } = verdict;
    return granted;
  }

  @AtEndpoint('rights', 'POST')
  redeemByForm(@Req() request: FastifyRequest): Promise<Omit<Extract<LicenseVerdict, { allow: true }>, 'allow'>> {
    return this.redeem(request);
  }
}

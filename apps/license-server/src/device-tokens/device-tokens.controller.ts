import type { IncomingMessage } from 'node:http';
import { type DeviceTokensView, operations } from '@latchkey/contracts';
import { Operation } from '@latchkey/service-defaults';
import { Controller, Req } from '@nestjs/common';
import { problemOf } from '../license/refusal.js';
import { DeviceTokenMetrics } from './device-token-metrics.js';
import { ShowDeviceTokens } from './show-device-tokens.js';

/** What is used of Fastify's request: the message itself and its query. */
interface RawRequest {
  readonly raw: IncomingMessage;
  readonly query: object;
}

/** Where devices collect their tokens. */
@Controller()
export class DeviceTokensController {
  constructor(
    private readonly showDeviceTokens: ShowDeviceTokens,
    private readonly metrics: DeviceTokenMetrics,
  ) {}

  /** Answers the tokens, or throws the problem that the refusal is. */
  @Operation(operations.showDeviceTokens)
  async show(@Req() { raw, query }: RawRequest): Promise<DeviceTokensView> {
    const outcome = await this.showDeviceTokens.handle({ headers: raw.headersDistinct, query, method: raw.method ?? '' });
    this.metrics.count(outcome);
    if (!outcome.ok) throw problemOf(outcome);
    return outcome.view;
  }
}

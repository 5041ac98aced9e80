import { Problem, type RequestOutput, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Outbox } from '@latchkey/outbox';
import { CONFIGURATION } from '@latchkey/service-defaults';
import { Controller, Inject } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import type { TokenIssuerConfiguration } from '../config.js';
import { storeContentKeys } from './store-content-keys.js';

@Controller()
export class PutContentKeyController {
  constructor(
    @Inject(CONFIGURATION) private readonly configuration: TokenIssuerConfiguration,
    private readonly outbox: Outbox,
  ) {}

  @MessagePattern<string>(requests.putContentKey.name)
  async put(@Payload() payload: unknown): Promise<RequestOutput<typeof requests.putContentKey>> {
    const { merchantId, kid, key, contentId } = readRequest(requests.putContentKey, payload);
    const { keyRing } = this.configuration;
    const stored = await this.outbox.transaction((tx) => storeContentKeys(tx, keyRing, { merchantId, keys: { [kid]: key }, contentId }));
    if (stored === 'differs') throw new Problem('content-key-differs');
    return { created: stored.has(kid) };
  }
}

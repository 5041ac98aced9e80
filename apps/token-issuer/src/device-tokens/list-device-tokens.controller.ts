import { type DeviceTokens, Problem, requests } from '@latchkey/contracts';
import { readRequest } from '@latchkey/messaging';
import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { ListDeviceTokens } from './list-device-tokens.js';

@Controller()
export class ListDeviceTokensController {
  constructor(private readonly deviceTokens: ListDeviceTokens) {}

  @MessagePattern<string>(requests.listDeviceTokens.name)
  async list(@Payload() payload: unknown): Promise<DeviceTokens> {
    const result = await this.deviceTokens.list(readRequest(requests.listDeviceTokens, payload));
    if (result.kind === 'refuse') throw new Problem(result.code);
    return result.listed;
  }
}
